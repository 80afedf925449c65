"""Asks the marketplaces' policy packs which documents may be had of their orders."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hanro.errors import AgainstPolicy, LocalizedText
from hanro.marketplace.policy import against, breached
from hanro.marketplace.types import PolicyFact, PolicyPack, PolicySubject, Verdict
from order_svc.domain.delivery_notes import INVOICE, NOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """Be the packs by marketplace, and the ids of the rules that this installation switched off."""

    packs: Mapping[str, PolicyPack]
    off: Collection[str] = ()

    def refusal(self, marketplace_id: str, *, is_invoice: bool) -> AgainstPolicy | None:
        """Say by which rule a document is refused, and what can be had instead; None: no rule is against it."""
        pack = self.packs.get(marketplace_id)
        if pack is None:
            return None
        told = {PolicyFact.DOCUMENT: INVOICE if is_invoice else NOTE}
        rule = breached(pack, PolicySubject.DOCUMENT, Verdict.REFUSE, told, off=self.off)
        if rule is None:
            return None
        refused = against(rule)
        if is_invoice:
            refused.remedy = LocalizedText(
                ja=f"{rule.message.ja}適格請求書の記載なしの納品書は発行できます。",
                en="The delivery note without invoice wording can be had: leave with_invoice_wording out.",
            )
        return refused
