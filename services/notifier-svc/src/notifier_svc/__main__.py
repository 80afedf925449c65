"""Starts notifier-svc: `python -m notifier_svc api | worker | all | migrate | openapi`."""

from hanro import service
from notifier_svc.app import SERVICE

if __name__ == "__main__":
    service.main(SERVICE)
