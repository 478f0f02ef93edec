"""Where a file did not parse: what lies there is none of what it seems, and is part of no context."""

from __future__ import annotations

from tree_sitter import Node

from codeocean.context.items import Item


def damaged_items(root: Node, items: list[Item]) -> tuple[set[Item], list[int]]:
    """The items that did not parse, their parts aside, and the bytes behind which nothing is where it seems."""
    found, breaks = set[Item](), list[int]()
    pending: list[tuple[Node, list[Item], Item | None]] = [(root, items, None)] if root.has_error else []
    while pending:
        node, parts, item = pending.pop()
        own = {part.node.id: part for part in parts}
        inner = [node]
        while inner:
            for child in inner.pop().children:
                part = own.get(child.id)
                if child.is_error or child.is_missing:
                    found |= {item} if item is not None else set()
                    if item is None or item.body is not None:  # a brace more moves all behind it
                        breaks.append(child.start_byte)
                elif part is not None and child.has_error:
                    pending.append((child, part.parts, part))
                elif part is None and child.has_error:
                    inner.append(child)
    return found, breaks
