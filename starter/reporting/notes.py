"""What each table of a report counts, and how anybody can check it, in both languages."""

from typing import Any

TABLES_ES = {
    "terms": (
        "Cada obligación cuya fecha de vencimiento cae en el período, una sola vez, sin importar cuándo se abrió el "
        "caso. Cumplida: un canal aceptó la carta a más tardar en el último segundo del plazo. No cumplida: el plazo "
        "pasó sin ella, aunque después se cumpliera, quedara sin efecto o siga pendiente. Una fecha reemplazada a "
        "tiempo (ampliación, unión de casos, respuesta de la institución) y lo que quedó sin efecto antes de vencer "
        "(desistimiento, unión, respuesta ya dada) no cuentan ni como cumplidos ni como no cumplidos. El porcentaje "
        "es el de los cumplidos entre cumplidos y no cumplidos."
    ),
    "month": "Las mismas obligaciones, por el mes en que vencieron.",
    "channel": "Las mismas obligaciones, por el canal del primer contacto.",
    "area": "Las mismas obligaciones, por el área que tiene el caso hoy.",
    "inquiry": "Las mismas obligaciones, por consulta o reclamo, según el caso se clasifica hoy.",
    "reasons": (
        "Cada plazo no cumplido, con un solo motivo: el primero que el registro muestra, en el orden de la tabla de "
        "docs/reports.md. Lo que escribieron las personas no se publica."
    ),
    "days": (
        "Los acuses y respuestas finales cuyo plazo venció en el período y que se enviaron, a tiempo o tarde. Días "
        "hábiles del calendario propio de cada caso; el día de recepción no cuenta. La mitad, el 90 % y el 99 % no "
        "pasaron de esos días."
    ),
    "backlog": (
        "Obligaciones de respuesta final: abiertas al inicio, las que nacieron y las que terminaron en el período. Una "
        "fecha ampliada sigue siendo la misma."
    ),
    "ages": "Días hábiles desde la recepción, o desde la reapertura, hasta el cierre del período.",
    "waiting": "Los mismos casos al cierre del período.",
    "answers": "Respuestas finales que un canal aceptó en el período.",
    "causes": (
        "Las mismas respuestas, por la causa que se les reconoce hoy. Con razón: favorable en todo o en parte; el "
        "porcentaje es entre esas y las infundadas. Días hábiles de las que vencían en el "
        "período: la mitad y el 90 % no pasaron de esos."
    ),
    "remedies": (
        "Lo prometido al usuario y cumplido en el período, por la causa de la última respuesta del caso, su clase y "
        "su moneda."
    ),
    "extensions": (
        "Ampliaciones por el momento en que ocurrieron. Una tiene efecto cuando su carta fue aceptada antes de vencer "
        "el plazo; sus días hábiles van de la fecha anterior a la nueva. Los motivos escritos quedan en cada caso."
    ),
    "escalations": (
        "Escalamientos iniciados en el período. Una institución se nombra solo cuando la nombran los casos de al menos "
        "tres personas."
    ),
    "reviews": "Revisiones por el momento en que se anotaron y terminaron.",
    "letters": (
        "Cada carta una vez, por el momento en que el canal la aceptó, la entregó o la devolvió. Rechazada: esa "
        "dirección nunca la aceptará; la carta sale por otra."
    ),
    "channels": "Cambios de los que se debía aviso al usuario, por el momento en que surgieron.",
    "quality": (
        "Respuestas finales del período que otra persona revisó, por mes, por el área en que se dieron y por criterio "
        "de la política. Cuenta la última revisión de cada una."
    ),
    "grounds": "Versiones bajo las cuales se abrieron los casos de este período, y el registro del que se contó.",
}

METHOD_ES = (
    (
        "Los plazos cuentan en días hábiles; el día de recepción no cuenta y el plazo termina a las 23:59:59 del "
        "último día (lecturas 1 a 3). Cada caso conserva la política y el calendario con los que se abrió (lectura 13)."
    ),
    (
        "Cumplido o no se juzga por el momento en que el canal aceptó la carta; enviado a tiempo y recibido por el "
        "usuario son dos hechos (lectura 10)."
    ),
    (
        "Una ampliación cuya carta no fue aceptada antes de vencer el plazo no tiene efecto, y el plazo anterior queda "
        "incumplido (lectura 5)."
    ),
    (
        "Un informe elaborado más tarde puede diferir: un hecho que se conoce después cuenta cuando ocurrió, y un caso "
        "se agrupa por el área y el tipo que tiene hoy."
    ),
    (
        "Cada hecho es un eslabón de una cadena por caso que solo crece; `plazo verify --all` recorre todas y muestra "
        "la cabeza de cada una. La huella es el SHA-256 de una línea por caso: referencia, número de hechos, cabeza."
    ),
    "`plazo report` sobre el mismo registro da las mismas cifras. No contiene datos personales.",
)

TABLES_EN = {
    "terms": (
        "Every obligation whose due date lies in the period, once, whenever its inquiry was opened. Kept: a channel "
        "accepted the letter by the last second of the term. Missed: the term passed without, whether it was met, fell "
        "away or is still owed afterwards. A date replaced in time (extension, merger, the institution's answer) and "
        "what fell away before it ended (withdrawal, merger, an answer given) count neither as kept nor as missed. The "
        "percentage is that of the kept among kept and missed."
    ),
    "month": "The same obligations, by the month in which they ended.",
    "channel": "The same obligations, by the channel of the first contact.",
    "area": "The same obligations, by the area that has the inquiry today.",
    "inquiry": "The same obligations, by inquiry or complaint, as it is classified today.",
    "reasons": (
        "Every term missed, with one reason: the first that the ledger shows, in the order of the table in "
        "docs/reports.md. What people wrote is not published."
    ),
    "days": (
        "The acknowledgements and final answers whose term ended in the period and that were sent, in time or late. "
        "Business days of each inquiry's own calendar; the day of receipt does not count. Half, 90 % and 99 % took no "
        "more than these days."
    ),
    "backlog": (
        "Obligations of a final answer: open at the start, begun and ended in the period. One whose date was extended "
        "is still the same."
    ),
    "ages": "Business days from the reception, or the reopening, to the end of the period.",
    "waiting": "The same inquiries at the end of the period.",
    "answers": "Final answers that a channel accepted in the period.",
    "causes": (
        "The same answers, by the cause that they are counted under today. Founded: upheld in whole or in part; the "
        "percentage is among these and the unfounded. Business days of those whose term ended in the "
        "period: half and 90 % took no more than these."
    ),
    "remedies": (
        "What users were promised and got within the period, by the cause of the inquiry's last answer, its kind and "
        "its currency."
    ),
    "extensions": (
        "Extensions, by when each thing happened. One is in effect when its letter was accepted before the term ended; "
        "its business days go from the old date to the new. The written reasons stay with each inquiry."
    ),
    "escalations": (
        "Escalations begun in the period. An institution is named only where the inquiries of three persons or more "
        "name it."
    ),
    "reviews": "Reviews, by when they were noted and ended.",
    "letters": (
        "Every letter once, by when the channel accepted it, delivered it or gave it back. Refused: that address will "
        "never take it; the letter leaves for another."
    ),
    "channels": "Changes that the user was owed word of, by when they arose.",
    "quality": (
        "Final answers of the period that a second reader judged, by month, by the area that they were given in and by "
        "the policy's criteria. The newest verdict on each counts."
    ),
    "grounds": "The versions under which the inquiries of this period were opened, and the ledger that was counted.",
}

METHOD_EN = (
    (
        "Terms count business days; the day of receipt does not count, and the term ends at 23:59:59 of the last day "
        "(readings 1 to 3). Each inquiry keeps the policy and the calendar it was opened under (reading 13)."
    ),
    (
        "Kept or missed is judged by the moment at which the channel accepted the letter; sent in time and reached the "
        "user are two facts (reading 10)."
    ),
    "An extension whose letter was not accepted before the term ended is void, and the old term is missed (reading 5).",
    (
        "A report made later may differ: a fact that becomes known later counts when it happened, and an inquiry is "
        "grouped by the area and the kind that it has today."
    ),
    (
        "Every fact is a link of a chain that only grows, one for each inquiry; `plazo verify --all` walks them all "
        "and shows their heads. The fingerprint is the SHA-256 of one line each: reference, number of events, head."
    ),
    "`plazo report` over the same ledger gives the same figures. It holds no personal data.",
)

NOTES: dict[str, dict[str, Any]] = {
    "es": {"tables": TABLES_ES, "method": METHOD_ES},
    "en": {"tables": TABLES_EN, "method": METHOD_EN},
}
"""By language: what each table counts, and the method."""
