"""Numbers that parcels have, and numbers that no parcel has, for each carrier whose form is public."""

from hanro.testing.conformance.market import Numbers

_TWELVE = Numbers(
    good=("1234-5678-9013", "000000000011", "４２３４ ５６７８ ９０１２"),
    bad=("12345678901", "1234567890123", "1234-5678-901X"),
)
_POST = Numbers(
    good=("1234-5678-901", "123456789012", "1234 5678 9012 3", "RN123456789JP"),
    bad=("1234567890", "12345678901234", "RN12345678JP", "RN123456789CN"),
)

NUMBERS = {
    "yamato": _TWELVE,
    "yamato_nekopos": _TWELVE,
    "sagawa": _TWELVE,
    "japan_post": _POST,
    "japan_post_yupacket": _POST,
    "japan_post_clickpost": _POST,
    "japan_post_rakuten_wh": _POST,
    "seino": Numbers(
        good=("123-456-7890", "0000000012", "１２３４５６７８９０"),
        bad=("123456789", "12345678901", "12345A7890"),
    ),
    "fukuyama": Numbers(
        good=("1234567890", "123-4567-8901", "123456789012"),
        bad=("123456789", "1234567890123", "F123456789"),
    ),
    "ems_jp": Numbers(
        good=("EE123456789JP", "eb 123 456 789 jp", "EN000000001JP"),
        bad=("EE12345678JP", "RR123456789JP", "EE123456789US"),
    ),
    "dhl_express": Numbers(
        good=("1234567890", "JD012345678901234567", "JJD0123456789012345"),
        bad=("123456789", "12345678901", "JD123"),
    ),
    "fedex": Numbers(
        good=("1234 5678 9012", "123456789012345", "12345678901234567890"),
        bad=("12345678901", "1234567890123", "FX3456789012"),
    ),
    "ups": Numbers(
        good=("1Z 999 AA1 01 2345 6784", "T1234567890", "123456789012"),
        bad=("1Z999AA1012345678", "2Z999AA10123456784", "12345678"),
    ),
    "tnt": Numbers(
        good=("123456789", "GE123456789WW", "gd 987 654 321 fr"),
        bad=("12345678", "GE12345678WW", "1234567890"),
    ),
    "usps": Numbers(
        good=("9400 1000 0000 0000 0000 00", "03071790000523483741", "EA123456789US"),
        bad=("940010000000000000000", "EA123456789JP", "EA12345678US"),
    ),
    "sf_express": Numbers(
        good=("SF1234567890123", "sf123456789012", "123456789012"),
        bad=("12345678901", "SF12345678901", "SG1234567890123"),
    ),
}
