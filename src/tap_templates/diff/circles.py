"""Find a circle in what refers to what."""

from collections.abc import Mapping, Sequence


def circle(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """Give one circle, its first name again at its end; an empty list if there is none.

    Walks in depth without recursion, for chains may be long.
    """
    done: set[str] = set()
    for start in edges:
        path = [] if start in done else [start]
        pending = [iter(edges[start])] if path else []
        while pending:
            following = next((e for e in pending[-1] if e in edges and e not in done), None)
            if following is None:
                pending.pop()
                done.add(path.pop())
            elif following in path:
                return [*path[path.index(following) :], following]
            else:
                path.append(following)
                pending.append(iter(edges[following]))
    return []
