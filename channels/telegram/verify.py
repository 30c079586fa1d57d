"""Whether a post comes from Telegram: it bears the secret that was given with `setWebhook`, and nothing else proves it.

There is no signature and no time in a post, so a repeated one is told by its `update_id` and changes nothing.
"""

import hmac
from collections.abc import Mapping

from models.errors import VerificationError

HEADER = "x-telegram-bot-api-secret-token"


def verify_secret(secret: str, headers: Mapping[str, str]) -> None:
    """Compare the header with the secret in constant time; `headers` have lower-case names. Raises VerificationError.

    A secret anywhere else, such as in the address, counts for nothing: addresses are logged.
    """
    if not secret:
        raise VerificationError("no webhook of Telegram is set up; set PLAZO_TELEGRAM_SECRET, or use the mode `poll`")
    given = headers.get(HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode("utf-8")):
        raise VerificationError(
            f"the header {HEADER} is missing or wrong; set the webhook again with PLAZO_TELEGRAM_SECRET as secret_token"
        )
