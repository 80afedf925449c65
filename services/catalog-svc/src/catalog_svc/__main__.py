"""Starts catalog-svc: `python -m catalog_svc api | worker | all | migrate | openapi`."""

from catalog_svc.app import SERVICE
from hanro import service

if __name__ == "__main__":
    service.main(SERVICE)
