"""The pages as their readers need them: complete, honest about small numbers, synthetic where synthetic, and self-contained."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest

from dashboards.data import SiteData
from dashboards.site import site

WITHHELD = "withheld"
PROGRAMMES = ["amstel", "berk", "duin", "eem", "linge", "vecht", "zaan"]


def page_of(html: bytes, parsed: dict[str, Any]) -> Any:
    """The page taken apart like those of the fixture."""
    return type(parsed["index.html"])(html.decode())


def squeeze(text: str) -> str:
    return " ".join(text.split())


def table(page: Any, caption: str) -> list[list[str]]:
    """Rows of the one table whose caption contains the words."""
    found = [t for t, c in zip(page.tables, page.captions, strict=True) if caption in squeeze(c)]
    assert len(found) == 1, (caption, [squeeze(c) for c in page.captions])
    return [[squeeze(cell) for cell in row] for row in found[0]]


def test_every_file_is_there(site_data: SiteData) -> None:
    static = {"static/plotly.min.js", "static/site.css", "static/figures.js"}
    pages = {
        "index.html",
        "expert-centre.html",
        "data-quality.html",
        *(f"{folder}/{p}.html" for p in PROGRAMMES for folder in ("programmes", "flow")),
    }
    assert set(site(site_data)) == static | pages


def test_the_same_input_gives_the_same_bytes(site_data: SiteData) -> None:
    assert site(site_data) == site(site_data)


def test_pages_are_well_formed(parsed: dict[str, Any]) -> None:
    assert {path: page.faults for path, page in parsed.items() if page.faults} == {}


def test_ids_are_unique_and_references_reach_something(parsed: dict[str, Any]) -> None:
    for path, page in parsed.items():
        ids = [value for _, name, value in page.attributes if name == "id"]
        assert len(ids) == len(set(ids)), path
        wanted = {v for _, n, v in page.attributes if n in ("aria-labelledby", "data-figure")}
        wanted |= {v[1:] for _, n, v in page.attributes if n == "href" and v.startswith("#")}
        assert wanted <= set(ids), path


def test_no_page_asks_for_anything_elsewhere(site_data: SiteData, parsed: dict[str, Any]) -> None:
    files = set(site(site_data))
    for path, page in parsed.items():
        for tag, name, value in page.attributes:
            assert "://" not in value, (path, tag, name)
            assert not name.startswith("on"), (path, tag, name)
            if name in ("src", "href") and not value.startswith(("#", "data:")):
                assert resolved(path, value) in files, (path, value)


def resolved(page: str, link: str) -> str:
    target = urlsplit(link).path
    return target.removeprefix("../") if page.startswith(("programmes/", "flow/")) else target


def test_pages_and_style_name_no_address_at_all(site_data: SiteData) -> None:
    for path, content in site(site_data).items():
        if path != "static/plotly.min.js":
            text = content.decode()
            assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", text), path


def test_every_page_of_invented_data_says_so_and_others_do_not(site_data: SiteData, pages: dict[str, str]) -> None:
    for path, html in pages.items():
        assert '<p class="synthetic"' in html, path
        assert "<title>SYNTHETIC" in html, path
        assert '<p class="synthetic-print"' in html, path
    for path, content in site(replace(site_data, is_synthetic=False)).items():
        if path.endswith(".html"):
            assert "synthetic" not in content.decode().lower(), path


def test_every_table_of_invented_data_says_so(parsed: dict[str, Any]) -> None:
    assert [c for page in parsed.values() for c in page.captions if not c.startswith("synthetic")] == []


def test_pages_have_a_language_one_heading_and_no_gap_between_levels(parsed: dict[str, Any]) -> None:
    for path, page in parsed.items():
        assert ("html", "lang", "en") in page.attributes, path
        assert page.headings.count(1) == 1, path
        steps = [after - before for before, after in zip(page.headings, page.headings[1:], strict=False)]
        assert max(steps, default=0) <= 1, (path, page.headings)


def test_every_figure_has_words_and_a_table(parsed: dict[str, Any]) -> None:
    for path, page in parsed.items():
        labels = [value for tag, name, value in page.attributes if tag == "div" and name == "aria-label"]
        assert len(labels) == len(page.figures), path
        assert all("The table below holds the same numbers" in label for label in labels), path


OUTCOMES = {"bsi": "BSI Global Severity Index", "eq5d3l": "EQ-5D-3L Utility index", "phq9": "PHQ-9 Total score"}


def outcome_rows(parsed: dict[str, Any], instrument: str, moment: str) -> dict[str, list[str]]:
    page = parsed["expert-centre.html"]
    chosen = [
        t for t, c in zip(page.tables, page.captions, strict=True)
        if OUTCOMES[instrument] in c and f"to {moment}." in c
    ]  # fmt: skip
    assert len(chosen) == 1
    rows = [[squeeze(cell) for cell in row] for row in chosen[0]]
    return {row[0].removesuffix(" primary"): row for row in rows if len(row) > 1}


@pytest.mark.parametrize("instrument", OUTCOMES)
@pytest.mark.parametrize("month", [12, 18, 24])
def test_numbers_of_the_expert_centre_are_those_of_the_benchmark(
    site_data: SiteData, parsed: dict[str, Any], instrument: str, month: int
) -> None:
    shown = outcome_rows(parsed, instrument, f"month {month}")
    names = site_data.programmes.set_index("programme_id")["name"]
    primary = site_data.instruments[instrument].primary.id
    frame = site_data.benchmark.query(
        "instrument == @instrument and moment == @moment and scale == @primary",
        local_dict={"instrument": instrument, "moment": f"m{month}", "primary": primary},
    )
    assert len(frame) == len(PROGRAMMES)
    digits = {"bsi": 2, "eq5d3l": 3, "phq9": 1}[instrument]
    for _, row in frame.iterrows():
        cells = shown[names[row["programme_id"]]]
        if row["suppressed"] == "all":
            assert all(WITHHELD in cell or "fewer than 10" in cell for cell in cells[1:])
            continue
        share, lower, upper = (round(100 * row[c]) for c in
                               ("response_share", "response_lower_95", "response_upper_95"))  # fmt: skip
        assert cells[1] == f"{share} % {lower} to {upper} % {row['n_received']} of {row['n_eligible']}"
        if pd.notna(row["mean_change"]):
            assert cells[2] == str(row["n_pairs"])
            assert cells[4].replace("−", "-").split()[0] == f"{row['mean_change']:.{digits}f}"
            assert float(cells[5].replace("−", "-").split()[0]) == pytest.approx(row["effect"], abs=0.0051)
        else:
            assert cells[2:6] == ["fewer than 10", WITHHELD, WITHHELD, WITHHELD]


def test_every_outcome_row_has_its_response(parsed: dict[str, Any]) -> None:
    pattern = re.compile(r"^(\d+ % \d+ to \d+ % \d+ of \d+|withheld fewer than 10 (due|of \d+))$")
    seen = 0
    for page in parsed.values():
        for caption, rows in zip(page.captions, page.tables, strict=True):
            if "change from the start" in caption:
                lines = [row for row in rows[1:] if len(row) > 1]
                assert [row for row in lines if not pattern.match(squeeze(row[1]))] == []
                seen += len(lines)
    assert seen > 100


def test_withheld_numbers_are_never_zero_or_blank(site_data: SiteData, parsed: dict[str, Any]) -> None:
    page = parsed["programmes/linge.html"]
    numbers = [squeeze(cell) for caption, rows in zip(page.captions, page.tables, strict=True)
               if "Findings" not in caption for row in rows[1:] for cell in row[1:]]  # fmt: skip
    m18 = site_data.benchmark.query("programme_id == 'linge' and moment == 'm18'")
    assert set(m18["suppressed"]) == {"all"}
    assert numbers
    assert [n for n in numbers if not n or n.startswith("0")] == []


def test_a_withheld_share_is_named_in_table_and_summary(parsed: dict[str, Any], site_data: SiteData) -> None:
    row = site_data.benchmark.query("programme_id == 'duin' and scale == 'gsi' and moment == 'm18'").iloc[0]
    assert "worse_share" in row["suppressed"].split()
    assert WITHHELD in outcome_rows(parsed, "bsi", "month 18")["Duin & Zee outpatient MBT"][7]
    assert "reliably worse are withheld" in squeeze(parsed["programmes/duin.html"].text)


def test_figures_hold_no_withheld_programme(parsed: dict[str, Any]) -> None:
    figure = json.loads(parsed["expert-centre.html"].figures["effect-bsi-gsi-m18-data"])
    hovers = " ".join(figure["data"][0]["hovertext"])
    assert "Amstel" in hovers
    assert "Linge" not in hovers


def test_course_table_holds_the_numbers_of_the_course(site_data: SiteData, parsed: dict[str, Any]) -> None:
    rows = table(parsed["programmes/duin.html"], "PHQ-9 Total score (points, 0 to 27; lower is better): those who")
    frame = site_data.course.query("programme_id == 'duin' and scale == 'total'").sort_values("months")
    for cells, (_, row) in zip(rows[1:], frame.iterrows(), strict=True):
        assert cells[2] == str(row["n"])
        assert cells[3] == f"{row['mean']:.1f} {row['lower_95']:.1f} to {row['upper_95']:.1f}"


def test_programmes_stand_by_name_within_their_format(parsed: dict[str, Any]) -> None:
    page = parsed["expert-centre.html"]
    first = [squeeze(row[0]) for row in page.tables[1][1:]]
    assert first == [
        "Day hospital", "Amstel Centre, day hospital MBT", "Zaanstreek day hospital MBT",
        "Intensive outpatient", "De Berk, intensive outpatient MBT",
        "Outpatient", "Duin & Zee outpatient MBT", "Eemland outpatient MBT", "Linge outpatient MBT",
        "Vecht outpatient MBT",
    ]  # fmt: skip


def test_programmes_with_other_anchors_stand_apart(site_data: SiteData) -> None:
    programmes = site_data.programmes.copy()
    programmes.loc[programmes["programme_id"] == "duin", "anchor"] = "referred_on"
    html = site(replace(site_data, programmes=programmes))["expert-centre.html"].decode()
    assert "Outpatient, from referral" in html
    assert "Outpatient, from main programme" in html


def test_adolescents_are_never_in_a_table_or_figure_of_adults(site_data: SiteData, parsed: dict[str, Any]) -> None:
    programmes = site_data.programmes.copy()
    programmes.loc[programmes["programme_id"] == "duin", "format"] = "adolescent"
    page = page_of(site(replace(site_data, programmes=programmes))["expert-centre.html"], parsed)
    tables = list(zip(page.captions, page.tables, strict=True))[
        1:
    ]  # the first counts who is compared, and holds no outcome
    holding = [c for c, t in tables if any("Duin" in row[0] for row in t)]
    assert len(holding) == 9  # three instruments, three moments
    assert all("adolescents" in caption for caption in holding)
    assert all(len([row for row in t if len(row) > 1]) == 2 for c, t in zip(page.captions, page.tables, strict=True)
               if "adolescents" in c)  # fmt: skip
    figures = [name for name, text in page.figures.items() if "Duin" in text]
    assert figures
    assert all("adolescent" in name for name in figures)


def test_no_norm_of_adults_is_applied_to_adolescents(site_data: SiteData, parsed: dict[str, Any]) -> None:
    programmes = site_data.programmes.copy()
    programmes.loc[programmes["programme_id"] == "duin", "format"] = "adolescent"
    page = page_of(site(replace(site_data, programmes=programmes))["programmes/duin.html"], parsed)
    assert "boundary of the reference range" not in page.figures["course-bsi-gsi-adolescent-data"]
    assert "no adolescent is classified" in page.text
    assert "Reliably improved 95 %" not in squeeze(page.text)


def test_a_programme_whose_registers_come_but_no_forms_is_late(site_data: SiteData) -> None:
    """Berk delivered in time; its newest form of 1 July is 142 days old on 20 November 2026 (30 + 31 + 30 + 31 + 20)."""
    programmes = site_data.programmes.copy()
    is_berk = programmes["programme_id"] == "berk"
    programmes.loc[is_berk, "newest_form_on"] = pd.Timestamp("2026-07-01").as_unit("s")
    html = site(replace(site_data, programmes=programmes))
    assert "newest form is 142 days old" in html["programmes/berk.html"].decode()
    assert "newest form is" not in site(site_data)["programmes/berk.html"].decode()


def test_late_programmes_are_marked(parsed: dict[str, Any]) -> None:
    rows = {row[0]: row for row in table(parsed["data-quality.html"], "Deliveries per programme")}
    assert rows["Eemland outpatient MBT"][1:] == ["15 August 2026", "97", "5", "quiet for 97 days"]
    assert rows["Zaanstreek day hospital MBT"][1:] == ["never", "never", "0", "nothing delivered yet"]
    assert rows["Duin & Zee outpatient MBT"][4] == "on time"


def test_sixty_days_are_not_late_and_sixty_one_are(site_data: SiteData) -> None:
    def status(as_of: date) -> str:
        html = site(replace(site_data, as_of=as_of))["programmes/eem.html"].decode()
        return "late" if "quiet for" in html else "on time"

    assert [status(date(2026, 10, 14)), status(date(2026, 10, 15))] == ["on time", "late"]  # from 15 August: 60, 61


def test_conservation_table_holds_the_counts(site_data: SiteData, parsed: dict[str, Any]) -> None:
    rows = table(parsed["data-quality.html"], "Rows offered by programme and instrument")
    row = site_data.conservation.query("programme_id == 'amstel' and instrument == 'bsi'").iloc[0]
    columns = ["n_offered", "n_accepted", "n_superseded", "n_duplicate", "n_set_aside", "n_left_out", "n_blank"]
    assert rows[2] == ["BSI", *(str(row[c]) for c in columns), "yes"]


def test_a_broken_conservation_law_is_shouted(site_data: SiteData) -> None:
    broken = site_data.conservation.copy()
    broken.loc[broken["programme_id"] == "amstel", "is_conserved"] = False
    files = site(replace(site_data, conservation=broken))
    assert "They are not equal everywhere" in files["data-quality.html"].decode()
    assert files["index.html"].decode().count("rows do not add up") == 1


def test_every_finding_has_a_remedy_and_an_unknown_rule_still_shows(
    site_data: SiteData, parsed: dict[str, Any]
) -> None:
    rows = table(parsed["data-quality.html"], "Findings by rule")
    assert len(rows) == 1 + site_data.findings_summary["rule"].nunique()
    assert "Amstel Centre, day hospital MBT 1, Vecht outpatient MBT 1" in [row[4] for row in rows]
    remedies = {rule.remedy for rule in site_data.rules.values()}
    assert all(any(remedy in row[3] for remedy in remedies) for row in rows[1:])
    # Of two programmes with answers out of range one came 12 days ago and one 4; a quiet programme came with no delivery.
    ages = {"answer_out_of_range": "12 days", "file_unreadable": "8 days", "programme_quiet": ""}
    for rule, age in ages.items():
        assert [row[2] for row in rows if row[3].endswith(rule)] == [age]
    assert "(research assistant)" in next(row[3] for row in rows if "answer_out_of_range" in row[3])
    html = site(replace(site_data, rules={}))["data-quality.html"].decode()
    assert "answer out of range" in html


def test_provisional_norms_are_marked_wherever_they_are_used(parsed: dict[str, Any]) -> None:
    for path in ("expert-centre.html", "programmes/duin.html"):
        assert "US norms recalled from the manual and not seen in print" in squeeze(parsed[path].text)
    course = parsed["programmes/duin.html"].figures["course-bsi-gsi-data"]
    assert "boundary of the reference range 0.61 (provisional)" in course
    assert "provisional" not in parsed["programmes/duin.html"].figures["course-phq9-total-data"]


def test_every_page_with_outcomes_warns_of_regression_to_the_mean(parsed: dict[str, Any]) -> None:
    for path in ("expert-centre.html", *(f"programmes/{p}.html" for p in PROGRAMMES)):
        assert "regression to the mean" in parsed[path].text
        assert "uncontrolled" in parsed[path].text


def test_the_summary_says_how_much_and_which_way(parsed: dict[str, Any], site_data: SiteData) -> None:
    row = site_data.benchmark.query("programme_id == 'duin' and scale == 'total' and moment == 'm18'").iloc[0]
    text = squeeze(parsed["programmes/duin.html"].text)
    words = (
        f"In the {row['n_pairs']} patients with a score at both moments the mean fell by {-row['mean_change']:.1f} "
        f"(95 % interval {-row['change_upper_95']:.1f} to {-row['change_lower_95']:.1f}); lower is better."
    )
    assert row["change_upper_95"] < 0
    assert words in text
    assert "96 treatments started here" in text


def test_names_cannot_become_markup(site_data: SiteData) -> None:
    programmes = site_data.programmes.assign(name="<img src=x onerror=alert(1)>\"'")
    for path, content in site(replace(site_data, programmes=programmes, consortium="<b>x</b>")).items():
        if path.endswith(".html"):
            assert "<img" not in content.decode(), path
            assert "<b>x</b>" not in content.decode(), path


def test_a_home_in_which_nothing_happened_yet_has_its_pages(site_data: SiteData) -> None:
    nothing = {
        name: getattr(site_data, name).iloc[:0]
        for name in ("response", "benchmark", "course", "conservation", "findings_summary")
    }
    files = site(replace(site_data, **nothing))
    assert "There is no outcome to compare yet" in files["expert-centre.html"].decode()
    assert "is not known" in files["programmes/amstel.html"].decode()


def test_another_plan_is_headed_by_its_last_moment(site_data: SiteData) -> None:
    before_after = site_data.benchmark[site_data.benchmark["moment"].isin(["baseline", "m6"])]
    html = site(replace(site_data, benchmark=before_after))["expert-centre.html"].decode()
    assert "Change from the start to month 6" in html


def test_a_course_without_its_columns_is_refused(site_data: SiteData) -> None:
    with pytest.raises(ValueError, match="quartile_3"):
        replace(site_data, course=site_data.course.drop(columns="quartile_3"))


def test_a_home_that_is_no_consortium_sets_no_programmes_side_by_side(site_data: SiteData) -> None:
    files = site(replace(site_data, compares=False))
    assert "expert-centre.html" not in files
    assert not [path for path, content in files.items() if path.endswith(".html") and b"expert-centre" in content]


def test_forms_that_changed_are_counted_and_few_of_them_are_not_told(site_data: SiteData) -> None:
    first, second = site_data.programmes["programme_id"].iloc[:2]
    names = dict(zip(site_data.programmes["programme_id"], site_data.programmes["name"], strict=True))
    data = replace(site_data, changed_since=date(2026, 5, 31), changed={first: 12, second: None})
    page = site(data)["data-quality.html"].decode()
    assert f"<li>{names[first]}: 12 forms</li>" in page
    assert f"<li>{names[second]}: fewer than {data.threshold} forms</li>" in page
    assert "Changed since 2026-05-31" in page or "31 May 2026" in page


def test_who_is_compared_stands_beside_the_comparison(parsed: dict[str, Any]) -> None:
    """118 started at Amstel; 14 were never asked, 11 withdrew, 9 need a row of their own. At Duin 6 are missing, too few to say why."""
    table = {squeeze(row[0]): [squeeze(cell) for cell in row[1:]] for row in parsed["expert-centre.html"].tables[0]}
    assert table["Programme"] == ["Started", "Compared", "Share", "Why not the others"]
    amstel = table["Amstel Centre, day hospital MBT"]
    assert amstel == ["118", "84", "71 % 62 to 79 %", "14 never recorded; 11 withdrawn; others withheld"]
    assert table["Duin & Zee outpatient MBT"] == ["96", "90", "94 % 87 to 97 %", "withheld"]
    assert table["Eemland outpatient MBT"] == ["52", "52", "100 % 93 to 100 %", "nobody is missing"]
    assert table["Linge outpatient MBT"] == ["withheld"] * 4
    assert table["Vecht outpatient MBT"] == ["27", *["withheld"] * 3]
    berk = "De Berk, intensive outpatient MBTNo permission has been recorded, so nobody is compared."
    assert table[berk] == ["74", "0", "0 % 0 to 5 %", "74 never recorded"]


def test_a_programme_says_whom_its_outcomes_are_of(parsed: dict[str, Any]) -> None:
    told = {name: squeeze(parsed[f"programmes/{name}.html"].text) for name in ("amstel", "berk", "vecht", "zaan")}
    assert (
        "of those who permit the comparison: 84 of 118 who started (71 %, 95 % interval 62 to 79 %)" in told["amstel"]
    )
    assert "No permission has been recorded, so nobody is compared" in told["berk"]
    assert "of those who permit the comparison; their number is withheld." in told["vecht"]
    assert "permi" not in told["zaan"]
