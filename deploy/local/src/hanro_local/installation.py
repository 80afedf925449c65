"""Says who operates the local installation: what guides and letters show, and what its operator supplies for all shops.

Everything is made up. Both files are made at the first start and kept by later ones, so that they can be changed.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

SUPPORT_CONTACT = "support@example.invalid"
TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "rakuten_ichiba": {
            "application_name": "HANRO",
            "application_summary": "複数店舗の在庫状態をリアルタイムで確認・管理するためのアプリ",
            "sub_user_name": "見本 運用",
            "sub_user_last_name": "見本",
            "sub_user_first_name": "運用",
            "sub_user_mail": "operator@example.invalid",
            "sub_user_registration_number": "000024",
            "sub_user_affiliation": "見本運用株式会社",
            "developer_name": "見本運用株式会社",
            "developer_mail": "apply@example.invalid",
        }
    }
)
# Shops of a developer application share its service secret: whoever tries that enters the simulator's here.
SECRETS: Mapping[str, Mapping[str, str]] = MappingProxyType({"rakuten_ichiba": {}})


def files(folder: Path) -> dict[str, str]:
    """Make the files that are missing, for the owner's eyes alone, and give the variables that name them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return {
        "HANRO_INSTALLATION_TEXTS_FILE": str(_kept(folder / "texts.json", TEXTS)),
        "HANRO_INSTALLATION_SECRETS_FILE": str(_kept(folder / "secrets.json", SECRETS)),
    }


def _kept(file: Path, values: Mapping[str, Mapping[str, str]]) -> Path:
    if not file.exists():
        text = json.dumps({marketplace: dict(own) for marketplace, own in values.items()}, ensure_ascii=False, indent=1)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
    return file
