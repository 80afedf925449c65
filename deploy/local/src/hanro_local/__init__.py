"""Run the whole of hanro on one machine, as child processes of one command."""
