"""Surveys that were changed under the names of their questions, seen by holding the files of a folder against each other."""

from __future__ import annotations

from itertools import permutations
from typing import Any

from mbt_rom.exports.wording import Delivered, changes

OLD, NEW = {"0": "never", "1": "often"}, {"0": "often", "1": "never"}


def file(name: str, folder: str = "here", **more: Any) -> Delivered:
    column = {"role": "item", "item": "phq9_01", "column": "q1", "sheet": None, "confidence": 0.9, **more}
    return (folder, name, [column, {"role": "not_taken_in", "column": "x", "text": name}])


def rules(*deliveries: Delivered) -> dict[str, str]:
    return {one["delivery_id"]: one["rule"] for one in changes(deliveries)}


def test_other_words_are_told_on_every_file_of_the_folder() -> None:
    files = [file("a", text="t1"), file("b", text="t1"), file("c", text="t2"), file("d", "there", text="t3"), file("e")]
    assert rules(*files) == dict.fromkeys("abc", "question_text_changed")


def test_the_list_that_most_files_have_stands() -> None:
    files = [file("a", answers=OLD), file("b", answers=OLD), file("c", answers=NEW)]
    assert rules(*files) == {"c": "answer_list_changed"}
    assert rules(*files[1:]) == {"b": "answer_list_changed", "c": "answer_list_changed"}


def test_the_order_of_arrival_changes_nothing() -> None:
    files = [file("a", answers=OLD, text="t"), file("b", answers=OLD), file("c", answers=NEW, text="u")]
    first = changes(files)
    assert all(changes(order) == first for order in permutations(files))


def test_a_coding_that_a_person_or_known_labels_tell_is_read_rightly_whatever_the_list() -> None:
    assert rules(file("a", answers=OLD), file("b", answers=NEW, confidence=1.0)) == dict.fromkeys("ab", "question_text_changed")  # fmt: skip
    assert rules(file("a", answers=OLD, is_coding_told=True), file("b", answers=NEW, is_coding_told=True)) == dict.fromkeys("ab", "question_text_changed")  # fmt: skip


def test_a_reworded_label_is_no_turned_list_and_another_name_is_another_question() -> None:
    worded = {"0": "never", "1": "frequently"}
    assert rules(file("a", answers=OLD), file("b", answers=worded)) == dict.fromkeys("ab", "question_text_changed")
    assert rules(file("a", answers=OLD), file("b", answers=NEW, code="q1b")) == {}
    assert rules(file("a", text="t"), file("b", text="t")) == {}
