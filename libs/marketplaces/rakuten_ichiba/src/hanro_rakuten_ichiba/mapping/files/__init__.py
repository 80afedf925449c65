"""Maps the order files of RMS, by the members of OrderModel that their columns are, to the sightings of getOrder."""
