"""Says what every marketplace must do, rule by rule; a plug-in's test module inherits the suites.

A suite is a class of tests over the fixtures `market` (a `Market`) and `database_url` (an empty schema with the shared
tables, as `hanro.testing.schemas` makes it). Everything is real: the simulator is a process, requests go through
`hanro.http`, turns through pacer rows. Rule numbers are those of the port's list of checks.
"""

SERVICE = "order-svc"
SCHEMA = "probe"
