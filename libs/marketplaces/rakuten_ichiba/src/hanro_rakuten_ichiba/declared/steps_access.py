"""Says step by step how others are let in: a sub-user of R-Login, the developer of an application.

Source: seeds 000, 003.
"""

from hanro.errors import MenuPath
from hanro.marketplace.types import ExpectedMail, Step
from hanro_rakuten_ichiba.declared.words import (
    CONTACT,
    DEVELOPER_ACCESS,
    DEVELOPER_ACCESS_FALLBACK,
    both,
)

_RLOGIN = "R-Login 利用者管理"
_INVITE = MenuPath(steps=("RMS", _RLOGIN, "R-Login 管理", "利用者追加"), url="https://glogin.gl.rakuten.co.jp/")
_USERS = MenuPath(steps=("RMS", _RLOGIN, "R-Login管理", "利用者管理"), url="https://glogin.gl.rakuten.co.jp/")
_RECIPIENT = both("店舗の運用ご担当者", "the shop's person in charge of operation")
_NOT_YOURS = (
    both("心当たりがない申請のお問い合わせ先", "whom to ask about an application that is not yours"),
    CONTACT,
)
_APPLICANT = (("企業名", "{developer_name}"),)
_OTHER_APPLICANT = both(
    "企業名がこれと違うとき、心当たりがないときは承認せず、WEB APIサービス窓口に問い合わせてください。",
    "if the applicant is another, or not yours, do not approve; contact the marketplace (WEB APIサービス窓口)",
)

ACCESS_STEPS = (
    Step(
        id="invite_sub_user",
        title=both("運用者を利用者に追加する", "add the operator as a sub-user"),
        text=both(
            "RMS の右上「R-Login 利用者管理」から「利用者追加」を開き、"
            "次のとおり入力して「入力内容の確認」を押し、正しければ"
            "「メールを送信」を押します。「メール送信完了」が出れば招待は送られています。",
            "in the upper right corner of RMS open R-Login 利用者管理, then 利用者追加; enter these values, press "
            "入力内容の確認, and メールを送信 if all is right; メール送信完了 says that the invitation was sent",
        ),
        menu=_INVITE,
        entries=(
            ("利用者名", "{sub_user_name}"),
            ("姓", "{sub_user_last_name}"),
            ("名", "{sub_user_first_name}"),
            ("メールアドレス", "{sub_user_mail}"),
            ("メールアドレス(確認)", "{sub_user_mail}"),
            ("登録番号", "{sub_user_registration_number}"),
            ("所属", "{sub_user_affiliation}"),
        ),
    ),
    Step(
        id="approve_sub_user",
        title=both("「承認待ち」の利用者を承認する", "approve the sub-user that is 承認待ち"),
        text=both(
            "スタッフ申請のメールが届いたら「利用者管理」で「承認待ち」の利用者を選び、"
            "次の権限を選んで「入力内容の確認」"
            "「変更する」を押します。「手続き完了」の後、「利用者管理トップへ」で利用状況が「利用可能」か確認し"
            "ます。",
            "once the mail has come, choose the sub-user with 承認待ち in 利用者管理, pick these permissions, press "
            "入力内容の確認 and 変更する; after 手続き完了 see in 利用者管理トップへ that 利用状況 shows 利用可能",
        ),
        menu=_USERS,
        entries=(
            ("権限", "受注・決済管理"),
            ("権限", "CSV商品一括編集"),
            ("権限", "店舗様向け情報・サービス"),
            ("権限", "拡張サービス一覧"),
        ),
        mail=ExpectedMail(
            subject="【楽●天】利用者登録(スタッフ申請)のご連絡(YYYY/MM/DD)",
            sender="rlogin-info@mail.rakuten.com",
            recipient=both(
                "R-Login（共有 ID）に登録したメールアドレス", "the mail address linked to R-Login (the shared id)"
            ),
            tells=both(
                "招待された人が登録を終えると自動で送られます。",
                "it is sent by itself once the invited user registered",
            ),
        ),
        traps=(
            both(
                "招待された人が登録を終えるまで、このメールは届きません。",
                "the mail does not come before the invited user has registered",
            ),
        ),
    ),
    Step(
        id="apply_for_access",
        title=both("API 利用の申請をメールで依頼する", "ask by mail for the application"),
        text=both(
            "申請シートに記入し、できあがった件名と本文のメールを送ります。申請が完了すると合計 2 "
            "通のメールが届きます。",
            "fill the application sheet and send the mail that it makes; two mails come once the application was made",
        ),
        traps=(
            both(
                "マスクアドレス（○○○@shop.rakuten.co.jp）は連絡先に使えません。",
                "a masked address (…@shop.rakuten.co.jp) cannot be the contact",
            ),
        ),
    ),
    Step(
        id="developer_access",
        title=both("開発企業からの API 利用を承認する", "approve the developer's access to the API"),
        text=both(
            "1 通目のメールが届いたら「承認待ち」の開発企業で「確認 へ」「アクセス承認 へ」の順に進みます。"
            "承認するとライセンス"
            "キーと有効期限が発行されるので、控えてここに入力します。"
            "これだけで在庫・送り状番号の転送と注文の確認が使えます。",
            "after the first mail go to 確認 へ of the developer that is 承認待ち, then アクセス承認 へ; it "
            "issues the licence key "
            "and its end, to be entered here. This alone enables stock, shipments and polling of orders",
        ),
        menu=DEVELOPER_ACCESS,
        fallback=DEVELOPER_ACCESS_FALLBACK,
        entries=_APPLICANT,
        mail=ExpectedMail(
            subject="【楽天市場】開発企業様からのAPI利用申請 追加承認のお願い",
            sender="楽天市場",
            recipient=_RECIPIENT,
            tells=both(
                "承認の手続きへの案内です。ここから API 設定を行います。",
                "it leads to the approval and the API settings",
            ),
        ),
        traps=(_OTHER_APPLICANT,),
        links=(_NOT_YOURS,),
    ),
    Step(
        id="developer_notices",
        title=both("システムイベント通知の利用を承認する", "approve the event notification"),
        text=both(
            "接続の確認に成功した後に 2 通目のメールが届きます。同じ画面で承認し、"
            "メールの利用開始予定日を入力してください。"
            "利用開始日の午前 9 時から始まり、9 時を過ぎて承認した場合は翌日の午前 9 時からです。",
            "a second mail comes after the check has passed; approve on the same page and enter the start day "
            "that the "
            "mail names. It begins at 09:00 on that day; approved later, at 09:00 on the day after the approval",
        ),
        menu=DEVELOPER_ACCESS,
        fallback=DEVELOPER_ACCESS_FALLBACK,
        entries=_APPLICANT,
        mail=ExpectedMail(
            subject="【楽天市場】開発企業様からのシステムイベント通知サービス利用申請 承認のお願い",
            sender="楽天市場",
            recipient=_RECIPIENT,
            tells=both(
                "企業名、利用データ、利用開始予定日時が書かれています。",
                "it names the applicant, the data to be used, and the day on which the service starts",
            ),
        ),
        traps=(
            both(
                "2 通目が届かないときは、接続チェックを行ってください。正しく設定されていないと送られません。",
                "where the second mail does not come, run the preflight: it is sent only if all is set up right",
            ),
            both(
                "接続チェックに失敗したら、少し待つか、ライセンスキーを再取得してください。",
                "if the check fails, wait a little, or issue the licence key again",
            ),
            both(
                "RMS 上で承認手続きを行わないと設定が完了しません。",
                "nothing is set up before the approval in RMS",
            ),
            _OTHER_APPLICANT,
        ),
        links=(
            (
                both("システムイベント通知のマニュアル", "manual of the event notification"),
                MenuPath(
                    steps=("システムイベント通知サービス",),
                    url="http://www.rakuten.co.jp/shops/manual/service/api/10.html",
                    is_login_needed=False,
                ),
            ),
            _NOT_YOURS,
        ),
    ),
)
