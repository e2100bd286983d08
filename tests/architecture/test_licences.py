"""No wording of a questionnaire is in the repository: definitions carry numbers and our own short tags."""

from __future__ import annotations

from mbt_rom.registry import instruments


def test_tags_are_too_short_to_be_the_wording_of_a_question() -> None:
    tags = {item.id: item.tag for definition in instruments().values() for item in definition.items if item.tag}
    assert {name: tag for name, tag in tags.items() if len(tag.split()) > 4 or "?" in tag} == {}
    assert len(tags) > 9


def test_no_definition_ships_wording() -> None:
    assert [i for i, definition in instruments().items() if definition.licence.ship_item_wording] == []


def test_every_definition_says_who_owns_the_wording() -> None:
    assert [
        i for i, definition in instruments().items() if not (definition.licence.owner or definition.licence.note)
    ] == []
