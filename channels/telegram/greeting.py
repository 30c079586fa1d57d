"""What the bot says to somebody who pressed Start and has said nothing yet. It is no letter and opens no inquiry."""

from models.inquiry import Language

_SPANISH = """Este es el canal de {operator} en Telegram para consultas y reclamos.

Escriba aquí, con sus palabras, qué pasó, cuándo y qué pide. Puede adjuntar fotos y documentos de hasta 20 MB.

Cada mensaje queda registrado y le confirmaremos que lo recibimos.

Nunca le pediremos contraseñas ni frases semilla: no las escriba aquí ni las dé a quien las pida en nuestro nombre."""

_ENGLISH = """This is the Telegram channel of {operator} for inquiries and complaints.

Write here, in your own words, what happened, when, and what you ask for. You can add photos and documents up to 20 MB.

Every message is registered, and we will confirm that we received it.

We never ask for passwords or seed phrases: do not write them here, nor give them to anyone who asks in our name."""


def greeting(operator: str, language: Language | None) -> str:
    """The greeting in a language; in both, Spanish first, where it is unknown."""
    texts = {Language.ES: (_SPANISH,), Language.EN: (_ENGLISH,)}.get(language or Language.BOTH, (_SPANISH, _ENGLISH))
    return "\n\n—\n\n".join(text.format(operator=operator) for text in texts)
