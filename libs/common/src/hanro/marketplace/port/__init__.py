"""States what a marketplace plug-in is and does; four services drive every marketplace through this alone."""

from hanro.marketplace.port.access import Access as Access
from hanro.marketplace.port.listings import Listings as Listings
from hanro.marketplace.port.messages import Messages as Messages
from hanro.marketplace.port.orders import Orders as Orders
from hanro.marketplace.port.plugin import Plugin as Plugin
from hanro.marketplace.port.session import Http as Http
from hanro.marketplace.port.session import Pacer as Pacer
from hanro.marketplace.port.session import Secrets as Secrets
from hanro.marketplace.port.session import Session as Session
from hanro.marketplace.port.session import Turn as Turn
from hanro.marketplace.port.stock import Stock as Stock
