"""Starts account-svc: `python -m account_svc api | worker | all | migrate | openapi`."""

from account_svc.app import SERVICE
from hanro import service

if __name__ == "__main__":
    service.main(SERVICE)
