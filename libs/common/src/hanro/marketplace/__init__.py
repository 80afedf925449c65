"""States the port to marketplaces and finds the plug-ins that are installed."""

from hanro.marketplace.forms import Fault as Fault
from hanro.marketplace.forms import check_fields as check_fields
from hanro.marketplace.keys import match_key as match_key
from hanro.marketplace.plugins import installed as installed
from hanro.marketplace.statuses import status_of as status_of
from hanro.marketplace.texts import fit as fit
from hanro.marketplace.texts import length_of as length_of
