"""No wording of a questionnaire is in the repository: definitions carry numbers and our own short tags."""

from __future__ import annotations

from mbt_rom.registry import instruments


def tags_longer_than(n_words: int, *, outcome: bool) -> dict[str, str]:
    chosen = [d for d in instruments().values() if (d.monitors == "outcome") is outcome]
    tags = {item.id: item.tag for definition in chosen for item in definition.items if item.tag}
    assert len(tags) > 9
    return {name: tag for name, tag in tags.items() if len(tag.split()) > n_words or "?" in tag}


def test_tags_are_too_short_to_be_the_wording_of_a_question() -> None:
    assert tags_longer_than(4, outcome=True) == {}


def test_tags_of_the_checklists_that_we_word_ourselves_are_short() -> None:
    assert tags_longer_than(8, outcome=False) == {}


def test_no_definition_ships_wording() -> None:
    assert [i for i, definition in instruments().items() if definition.licence.ship_item_wording] == []


def test_every_definition_says_who_owns_the_wording() -> None:
    assert [
        i for i, definition in instruments().items() if not (definition.licence.owner or definition.licence.note)
    ] == []
