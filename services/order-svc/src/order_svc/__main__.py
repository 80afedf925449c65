"""Starts order-svc: `python -m order_svc api | worker | all | migrate | openapi`."""

from hanro import service
from order_svc.app import SERVICE

if __name__ == "__main__":
    service.main(SERVICE)
