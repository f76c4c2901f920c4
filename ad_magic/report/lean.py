"""What a saved page need not say in its file: its style sheet says it, or js/lean.js puts it back before anything else.

A table and a graph say the same of each row, node and edge. Without it the file is half as large.
"""

from __future__ import annotations

import re
from collections import Counter

_SAID_BY_STYLE = re.compile(
    r' (?:align="(?:left|right)"|text-anchor="middle"|font-size="1[01]"|rx="5"|stroke-width="1"'
    r'|(?:fill|stroke)="(?:none|currentColor)")(?=[ />])'
)
_PUT_BACK = [  # what is taken away, what stays
    (r' data-ad-cell="[^"]*"|(?<=<samp>)\u00a0+|\u00a0+(?=</samp>)', ""),
    (r'(?<=<td) class="ad-number ad-\w+(?: ad-edge-left)?(?: ad-zero| ad-bad)?"', ""),
    (r' ad-i\d+(?=[ "])| scope="row"', ""),
    (r'(<td class="ad-partial">)∂(?:(?!</td>).)+', r"\1"),
    # an edge on which a number flows: how heavy it is; of each edge the tip
    (r'(<g class="ad-edge ad-(?!array)\w+" data-ad-edge="[^"]*"><path d="[^"]*") stroke-width="[\d.]+"', r"\1"),
    (r'(data-ad-edge="[^"]*"><path [^>]*/>)<path class="ad-tip" [^>]*/>', r"\1"),
    # a node: its title where it is the text that is seen, where its two texts stand
    (r'<title>([^<]*)</title>(?=<rect [^>]*/><text class="ad-node-name" [^>]*>\1</text>)', ""),
    (r'(<text class="ad-node-\w+") x="[\d.]+" y="[\d.]+"', r"\1"),
]
_CLASSES = re.compile(r' class="([^"]*)"')


def lean(html: str) -> str:
    """A report without the attributes by which it stands where its style sheet is taken away: a page says them itself.

    >>> lean('<td align="left" class="ad-label">')
    '<td class="ad-label">'
    """
    return _SAID_BY_STYLE.sub("", html)


def short(html: str) -> tuple[str, list[str]]:
    """A lean report without what js/lean.js puts back, and the classes for which it has a number from its table on."""
    for pattern, kept in _PUT_BACK:
        html = re.sub(pattern, kept, html)
    at = html.index("<table")
    classes = [kind for kind, times in Counter(_CLASSES.findall(html, at)).most_common() if times > 2]
    number = {kind: k for k, kind in enumerate(classes)}
    rest = _CLASSES.sub(lambda found: f" c={number[found[1]]}" if found[1] in number else found[0], html[at:])
    return html[:at] + rest, classes
