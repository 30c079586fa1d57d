"""What the bot says to somebody who pressed Start, or a link with a code. It is no letter and opens no inquiry."""

from channels.port import Courtesy
from models.inquiry import Language

_HELLO = {
    Language.ES: """Este es el canal de {operator} en Telegram para consultas y reclamos.

Escriba aquí, con sus palabras, qué pasó, cuándo y qué pide. Puede adjuntar fotos y documentos de hasta 20 MB.

Cada mensaje queda registrado y le confirmaremos que lo recibimos.

Nunca le pediremos contraseñas ni frases semilla: no las escriba aquí ni las dé a quien las pida en nuestro nombre.""",
    Language.EN: """This is the Telegram channel of {operator} for inquiries and complaints.

Write here, in your own words, what happened, when, and what you ask for. You can add photos and documents up to 20 MB.

Every message is registered, and we will confirm that we received it.

We never ask for passwords or seed phrases: do not write them here, nor give them to anyone who asks in our name.""",
}

_CONNECTED = {
    Language.ES: """Este chat quedó conectado a su cuenta en {operator}.

Si no fue usted quien lo pidió, escríbanos aquí de inmediato.""",
    Language.EN: """This chat is now connected to your account at {operator}.

If it was not you who asked for it, tell us here at once.""",
}

_LINK_OVER = {
    Language.ES: """Este enlace ya no es válido: se usó o venció, y no conectó nada.

Pida uno nuevo donde lo obtuvo o, simplemente, escriba aquí.""",
    Language.EN: """This link is no longer good: it was used or has run out, and it connected nothing.

Ask for a new one where you got it, or simply write here.""",
}

_LINK_OTHER = {
    Language.ES: """Este enlace no conectó nada: este chat ya está conectado a otra cuenta.

Si le parece un error, escríbanos aquí.""",
    Language.EN: """This link connected nothing: this chat is already connected to another account.

If you think that is a mistake, tell us here.""",
}

_LINK_TO_TYPE = {
    Language.ES: """Este enlace todavía no conectó nada: en este chat ya hay consultas o reclamos.

Si usted pidió conectarlo con su cuenta en {operator}, escriba aquí, sin nada más, el código que le mostraron con el \
enlace. Sus casos de este chat se unirán entonces a esa cuenta.

Si no lo pidió, no haga nada y no escriba aquí ningún código que le dé otra persona.""",
    Language.EN: """This link has connected nothing yet: there are inquiries or complaints in this chat already.

If you asked to connect it to your account at {operator}, write here, and nothing else, the code that was shown to you \
with the link. Your cases in this chat will then join that account.

If you did not ask for it, do nothing, and write no code here that somebody else gave you.""",
}

_WORDS: dict[Courtesy, dict[Language, str]] = {
    "hello": _HELLO,
    "connected": _CONNECTED,
    "link_over": _LINK_OVER,
    "link_other": _LINK_OTHER,
    "link_to_type": _LINK_TO_TYPE,
}


def greeting(operator: str, language: Language | None, what: Courtesy = "hello") -> str:
    """What is said, in a language; in both, Spanish first, where it is unknown."""
    words = _WORDS[what]
    texts = [words[language]] if language in words else list(words.values())
    return "\n\n—\n\n".join(text.format(operator=operator) for text in texts)
