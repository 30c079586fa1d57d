"""The last look at a final answer before it leaves: what nobody may miss stands in it, whatever the template."""

from activities.letters.context import LetterContext
from activities.letters.rendering import Rendered
from models.errors import OperatorError
from models.letters import FINALS


def complete(letter: Rendered, context: LetterContext) -> None:
    """See to it that a final answer names its reference (M5.7) and where to ask for a review (M3.10).

    The trial of templates finds such a fault when they are loaded; here it is found in the words themselves. Raises
    OperatorError, so the letter waits for a mended template and no channel is given up.
    """
    if context.kind not in FINALS.values():
        return
    wanted = {
        "reference": context.reference,
        "authority_phone": context.authority.phone,
        "authority_web": context.authority.web,
    }
    lacking = [name for name, words in wanted.items() if words not in letter.text or words not in letter.html]
    if lacking:
        raise OperatorError(f"the letter {letter.template} would leave without {', '.join(lacking)}; mend the template")
