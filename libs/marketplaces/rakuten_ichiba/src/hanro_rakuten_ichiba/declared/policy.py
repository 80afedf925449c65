"""Holds what Rakuten Ichiba forbids or advises against, as rules with their sources."""

from datetime import date

from hanro.marketplace.types import Comparison, Condition, PolicyFact, PolicyPack, PolicySubject, Rule, Verdict
from hanro_rakuten_ichiba.declared.words import both

# They count and keep the issues of an order's receipt themselves, so the buyer has one from them. That a second paper
# which calls itself a qualified invoice must not go out is our reading: no guideline is in the sources.
QUALIFIED_INVOICE = Rule(
    id="ichiba.document.qualified-invoice",
    subject=PolicySubject.DOCUMENT,
    verdict=Verdict.REFUSE,
    when=(Condition(fact=PolicyFact.DOCUMENT, comparison=Comparison.IS, value="qualified_invoice"),),
    message=both(
        "楽天市場の注文の領収書は、購入者が購入履歴から発行します。納品書を適格請求書とすることはできません。",
        "The buyer of a Rakuten Ichiba order has the receipt from the marketplace: a delivery note is no second one.",
    ),
    source="rakuten-ichiba-orders 5.2 (receiptIssueCount, receiptIssueHistoryList), 13 (columns 145 to 147) [2+]; [?]",
    since=date(2023, 10, 1),
)

POLICY = PolicyPack(version="2026.2", rules=(QUALIFIED_INVOICE,))
