"""Lists linked for a person to go through: the links, the pairs to decide, and the answers back."""

from sousveil.review._answers import ANSWERS, read_answers, table, write_table
from sousveil.review._files import FILES, LinkedLists, link_lists, summary, write
from sousveil.review._page import MOST_ON_PAGE, page

__all__ = [
    "ANSWERS",
    "FILES",
    "MOST_ON_PAGE",
    "LinkedLists",
    "link_lists",
    "page",
    "read_answers",
    "summary",
    "table",
    "write",
    "write_table",
]
