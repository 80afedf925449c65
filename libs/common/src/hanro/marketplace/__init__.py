"""States the port to marketplaces and finds the plug-ins that are installed."""

from hanro.marketplace.csv_files import CsvFault as CsvFault
from hanro.marketplace.csv_files import CsvFile as CsvFile
from hanro.marketplace.csv_files import CsvHeader as CsvHeader
from hanro.marketplace.csv_files import HeaderFault as HeaderFault
from hanro.marketplace.csv_files import decoded as decoded
from hanro.marketplace.csv_files import read_csv as read_csv
from hanro.marketplace.csv_files import read_header as read_header
from hanro.marketplace.forms import Fault as Fault
from hanro.marketplace.forms import check_fields as check_fields
from hanro.marketplace.keys import match_key as match_key
from hanro.marketplace.plugins import installed as installed
from hanro.marketplace.statuses import status_of as status_of
from hanro.marketplace.texts import fit as fit
from hanro.marketplace.texts import length_of as length_of
from hanro.marketplace.tracking import find_carrier as find_carrier
from hanro.marketplace.tracking import track as track
