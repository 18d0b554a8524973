"""What is written above the heart of a group, in as few lines as its width allows."""

from collections.abc import Sequence

from napari_latent_explorer.session.side_by_side import GroupHeart


def full_words(heart: GroupHeart, max_characters: int) -> tuple[str, ...]:
    """Say whose heart it is, what stands for them, and how heavy it is."""
    group = heart.group
    stands = group.representative.short_label if group.representative is not None else ""
    name = packed([group.name], max_characters)
    return (*name, *packed([f"{len(group):,} participants", stands, *_masses(heart)], max_characters))


def few_words(heart: GroupHeart, max_characters: int) -> tuple[str, ...]:
    """Say the same where hearts are narrow: without who stands for the group and what is predicted."""
    mass = next((words for words in _masses(heart) if words), "")
    return packed([heart.group.name, f"n {len(heart.group):,}", " ".join(mass.split()[:3])], max_characters)


def packed(pieces: Sequence[str], max_characters: int) -> tuple[str, ...]:
    """Put pieces of text on as few lines as hold them, in order; a piece that is too long alone is cut."""
    lines: list[str] = []
    for piece in filter(None, pieces):
        if lines and len(lines[-1]) + len(piece) + 2 <= max_characters:
            lines[-1] += f", {piece}"
        else:
            lines.append(piece)
    return tuple(line if len(line) <= max_characters else f"{line[: max_characters - 1]}…" for line in lines)


def _masses(heart: GroupHeart) -> list[str]:
    """Mass of the left ventricle, by both ways in which it is known."""
    measures, predicted = heart.outcome.measures, heart.predicted("lvm")
    measured = f"LVM {measures.mass_g:.0f} g measured" if measures is not None and measures.mass_g > 0 else ""
    words = f"{predicted:.0f} g predicted" if predicted is not None else ""
    return [measured, words if measured else words and f"LVM {words}"]
