"""The words of reports, in both languages of the operator."""

from starter.reporting.notes import NOTES
from starter.reporting.words_en import EN
from starter.reporting.words_es import ES

WORDS = {"es": ES | {"notes": NOTES["es"]}, "en": EN | {"notes": NOTES["en"]}}
"""By language: titles of tables, heads of columns, names of codes, lines, and the notes on what each table counts."""
