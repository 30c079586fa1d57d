"""How memos name what is owed and what is proposed, in the colleague's language."""

from models.inquiry import Language
from models.obligations import ObligationKind

OWED: dict[Language, dict[str, str]] = {
    Language.ES: {
        ObligationKind.ACKNOWLEDGEMENT: "acuse de recibo",
        ObligationKind.FINAL: "respuesta final",
        ObligationKind.EXTERNAL: "aviso de la nueva fecha de la institución externa",
        ObligationKind.REFERRAL: "aviso del área que atiende el caso",
        ObligationKind.MISSED: "aviso del plazo incumplido",
        ObligationKind.CHANNEL_CHANGE: "aviso del cambio de canal",
        ObligationKind.RESEND: "nuevo envío de una carta devuelta",
        ObligationKind.WITHDRAWAL: "constancia del desistimiento",
        ObligationKind.AUTHORITY_REPLY: "respuesta a la autoridad",
        ObligationKind.ERASURE: "respuesta sobre el borrado de los datos",
        ObligationKind.REMEDY: "compensación o corrección prometida",
    },
    Language.EN: {kind: kind.value for kind in ObligationKind},
}

PROPOSED: dict[Language, dict[str, str]] = {
    Language.ES: {
        "extend": "prórroga",
        "escalate": "escalamiento a una institución externa",
        "re_estimate": "nueva fecha estimada",
        "resolve": "respuesta final",
        "appeal_decided": "resultado de la revisión",
        "change_channel": "cambio de canal",
        "withdraw": "desistimiento",
        "reopen": "reapertura",
        "reclassify": "reclasificación",
        "promise_remedy": "promesa de compensación o corrección",
    },
    Language.EN: {
        "extend": "extension",
        "escalate": "escalation to an external institution",
        "re_estimate": "new estimated date",
        "resolve": "final answer",
        "appeal_decided": "outcome of the review",
        "change_channel": "change of channel",
        "withdraw": "withdrawal",
        "reopen": "reopening",
        "reclassify": "reclassification",
        "promise_remedy": "promise of a remedy",
    },
}

LOOK_AGAIN = {Language.ES: "dar seguimiento", Language.EN: "look at it again"}
FINDINGS = {Language.ES: "respuesta del área {}", Language.EN: "findings of the area {}"}
NO_DATE = {Language.ES: "sin fecha", Language.EN: "no date"}
