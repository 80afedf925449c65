"""Holds the template of the demo shop's mail for a new order; half of it is what careless Shift_JIS code breaks."""

SHOP_NAME = "見本店①髙㈱〜"
TEMPLATE = "new-order-ja"
SUBJECT = "【{{ shop.name }}】ご注文ありがとうございます（{{ order.external_id }}）"
BODY = """\
{{ buyer.name }} 様

{{ shop.name }}です。ご注文をお受けしました。

注文番号: {{ order.external_id }}
注文日時: {{ order.placed_at }}

{% for line in lines %}
{{ loop.index }}. {{ line.title }} {{ line.unit_price }}円 × {{ line.quantity }}
{% endfor %}

商品: {{ totals.goods }}円
送料: {{ totals.postage ~ "円" if totals.postage else "確認中" }}
お支払い: {{ totals.payable ~ "円" if totals.payable else "確認中" }}

またのご来店をお待ちしております。 ｻﾝﾌﾟﾙ表示№1
"""
