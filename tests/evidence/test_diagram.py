"""The sequence diagram: what it shows, in both languages, and what it never lets through."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from properties.histories import Story, ordinary

from harness.evidence.drawing import SMALL
from harness.evidence.keeping import evidence, sentence
from harness.evidence.rows import MOST_ROWS
from harness.evidence.story import tell
from harness.evidence.words import PORTUGUESE
from harness.history import History, Opened, Said, ServerEvent, Toxic
from harness.properties.scene import Scene
from harness.results import Judgement

SVG = "{http://www.w3.org/2000/svg}"
WHY = "nina said good-bye and the server never closed the connection"
LOST = Judgement("closes", "fail", WHY, "FIN", "silence", "never", at_s=2.6)


def drawn(history: History, *judgements: Judgement, lang: str = "en") -> str:
    """diagram.svg of a hand-made history."""
    files, trouble = evidence(history, judgements, None)
    assert trouble is None
    picture = files["diagram.svg" if lang == "en" else f"diagram.{lang}.svg"]
    assert isinstance(picture, str)
    return picture


def texts(svg: str) -> list[str]:
    """The words of a picture, read as XML."""
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(f"{SVG}text")]


def lossy(story: Story) -> None:
    """One message reaches nobody."""
    story.says("ana", "is it lost?", heard=False)
    story.leave("bia", "reset")


def test_who_did_what_stands_in_it() -> None:
    shown = texts(drawn(ordinary().history()))
    for words in ("ana", "bia", "caio", "newcomers", "server", "RST", "connects and joins", "messages, all heard"):
        assert any(words in text for text in shown), words
    assert "Toxiproxy" not in shown


def test_a_lost_message_and_the_violation_are_red_with_one_sentence() -> None:
    svg = drawn(ordinary(lossy).history(), LOST)
    shown = texts(svg)
    assert any("is it lost?" in text for text in shown)
    assert any(text == "never heard by caio" or text == "never heard by bia, caio" for text in shown)
    assert any(f"closes: {WHY[:40]}" in text for text in shown)
    assert "boxbad" in svg


def test_the_portuguese_one_has_no_english_sentence() -> None:
    shown = texts(drawn(ordinary(lossy).history(), LOST, lang="pt-BR"))
    assert any("nina se despediu e o servidor" in text for text in shown)
    left_over = {text for text in shown if text in PORTUGUESE and PORTUGUESE[text] != text}
    assert not left_over
    assert sentence(LOST, "pt-BR").startswith("nina se despediu")


def test_a_toxic_is_a_shaded_span_in_a_lane_of_its_own() -> None:
    story = ordinary()
    story.add(Toxic(at_s=2.1, did="line: toxic latency_downstream(latency=200) on"))
    story.says("ana", "slow")
    story.add(Toxic(at_s=7.0, did="line: toxics off"))
    svg = drawn(story.history())
    assert 'class="toxic"' in svg
    assert any("latency_downstream(latency=200) on" in text for text in texts(svg))
    assert "Toxiproxy" in texts(svg)
    shown = texts(drawn(story.history(), lang="pt-BR"))
    assert any("latency_downstream(latency=200) ligado" in text for text in shown)
    assert "toxics retirados" in shown


def crowded(story: Story) -> None:
    """Three hundred come, and go with a reset."""
    for number in range(300):
        story.join(f"m{number}", role="crowd", counts=False, told=False)
    for number in range(300):
        story.leave(f"m{number}", "reset", told=False)


def test_three_hundred_are_folded_into_one_lane_and_few_rows() -> None:
    story = ordinary(crowded)
    told = tell(Scene(story.history()), (), "en", lambda j: "")
    assert [lane.title for lane in told.lanes.lanes] == ["ana", "bia", "caio", "crowd", "newcomers", "server"]
    assert len(told.rows) <= 2 * MOST_ROWS
    svg = drawn(story.history(), LOST)
    assert len(svg.encode()) < 150_000
    assert any("300 clients" in text for text in texts(svg))


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "\x1b[31m\u202e", "a&b\"'", "\x00\ud800"])
def test_a_strangers_bytes_are_text(name: str) -> None:
    story = ordinary(lossy)
    for opened in story.find(Opened, who="ana"):
        story.change(opened, who=name)
    said = story.find(Said)[0]
    story.change(said, text=name.encode("utf-8", "surrogatepass") + b"\xff")
    history = replace(story.history(), scenario=f"tests/{name}")
    svg = drawn(history, replace(LOST, reason=f"{name} was not heard"))
    assert svg == svg.encode("utf-8").decode("utf-8")
    assert "<script>" not in svg
    assert "\x1b" not in svg
    assert "\u202e" not in svg
    ET.fromstring(svg)


def test_a_long_label_stands_beside_the_times_however_few_lanes_there_are() -> None:
    """With one lane a note as wide as the picture covered the column of the times, and names of parts were cut off."""
    story = ordinary(bystanders=False)
    story.cut(0.1)
    story.add(ServerEvent(at_s=0.2, what="limits", detail="descriptors 64, threads 32, memory 256 MiB, processor 10 s"))
    story.phase("empty")
    picture = ET.fromstring(drawn(story.history()))
    width = float(picture.attrib["width"])
    times = [text for text in picture.iter(f"{SVG}text") if text.attrib.get("text-anchor") == "end"]
    gutter = max(float(text.attrib["x"]) for text in times)
    notes = [box for box in picture.iter(f"{SVG}rect") if box.attrib["rx"] == "5"]
    assert times
    assert notes
    assert all(float(box.attrib["x"]) >= gutter + 4 for box in notes)
    assert all(float(box.attrib["x"]) + float(box.attrib["width"]) <= width for box in notes)
    for text in picture.iter(f"{SVG}text"):
        if text.attrib.get("text-anchor") is None:
            words = "".join(text.itertext())
            assert float(text.attrib["x"]) + SMALL * len(words) <= width, words


def test_a_history_of_nothing_is_drawn_too() -> None:
    story = ordinary(bystanders=False)
    story.cut(0.1)
    assert "server" in texts(drawn(story.history()))
    assert "server" in texts(drawn(replace(story.history(), records=())))
