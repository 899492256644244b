"""SNS: what a topic's subscribers among people get."""

from __future__ import annotations

from typing import Any

from mpe.local.kept import Mail, Mailbox
from mpe.local.ministack.difference import Difference

DEFAULT_SUBJECT = "AWS Notification Message"


def deliver_mail(mailbox: Mailbox) -> None:
    """Take a copy of everything that SNS delivers to email and SMS subscribers.

    An email has the message alone, a JSON email the whole notification
    (https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html), and a text
    message has no subject.
    """
    from ministack.services import sns

    deliver = sns._fanout

    def deliver_and_keep(
        topic: str,
        id: str,
        message: str,
        subject: str,
        structure: str = "",
        attributes: dict[str, Any] | None = None,
        *args: Any,
        **more: Any,
    ) -> None:
        for one in (sns._topic_by_arn_any_scope(topic) or {}).get("subscriptions", ()):
            protocol = one["protocol"]
            if not one.get("confirmed") or protocol not in {"email", "email-json", "sms"}:
                continue
            body = sns._resolve_message_for_protocol(message, structure, protocol)
            if not sns._matches_filter_policy(one, attributes or {}, body):
                continue
            if protocol == "email-json":
                body = sns._build_envelope(topic, id, body, subject, attributes or {}, False)
            title = "" if protocol == "sms" else subject or DEFAULT_SUBJECT
            mailbox.add(Mail(one["endpoint"], protocol, title, body, topic))
        deliver(topic, id, message, subject, structure, attributes, *args, **more)

    sns._fanout = deliver_and_keep


DIFFERENCES = (
    Difference(
        aws="subscribers by email, JSON email and SMS get a topic's messages",
        alone="none is sent or kept",
        page="https://docs.aws.amazon.com/sns/latest/dg/sns-user-notifications.html",
        test="test_sns.py::test_alone_no_mail_is_sent_or_kept",
        make_good=lambda start: deliver_mail(start.mailbox),
    ),
)
