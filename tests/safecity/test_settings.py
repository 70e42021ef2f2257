"""The site file: what is wrong is named by its path, with what was wanted; nothing wrong gets through."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from safecity.settings import SettingsError, load_site, parse_site

SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]


def camera(**more):
    return {"id": "gate", "source": "rtsp://10.1.2.3/stream", **more}


def zone(**more):
    return {"name": "yard", "polygon": SQUARE, **more}


def rule(**more):
    return {"kind": "zone_entered", "name": "in-yard", "zone": "yard", **more}


WRONG = [
    ({"colour": "red"}, "colour: unknown key"),
    ({"cameras": [camera(zoom=2)]}, "cameras[0].zoom: unknown key"),
    ({"cameras": [camera(zones=[zone(polygon=SQUARE[:2])])]}, "cameras[0].zones[0].polygon: "),
    ({"cameras": [camera(zones=[zone(polygon=[[0, 0], [0.5, 0.5], [1, 1]])])]}, "the polygon has no area"),
    (
        {"cameras": [camera(zones=[zone(polygon=[[0, 0], [1.5, 0], [1, 1]])])]},
        "cameras[0].zones[0].polygon[1][0]: ",
    ),
    (
        {"cameras": [camera(zones=[zone(), zone()])]},
        "cameras[0].zones[1].name: 'yard' is already the name of zones[0]",
    ),
    (
        {"cameras": [camera(), camera(source="rtsp://10.1.2.4/")]},
        "cameras[1].id: 'gate' is already the id of cameras[0]",
    ),
    ({"cameras": [camera(source="ftp://10.1.2.3/x")]}, "cameras[0].source: the scheme ftp: is not allowed"),
    (
        {"cameras": [camera(source="concat:/etc/passwd|x")]},
        "cameras[0].source: the scheme concat: is not allowed",
    ),
    ({"cameras": [camera(source="subfile,,start,0,end,9,,:/etc/passwd")]}, "cameras[0].source: the scheme "),
    (
        {"cameras": [camera(source="rtsp://8.8.8.8/x")]},
        "cameras[0].source: the address 8.8.8.8 is outside allowed_networks",
    ),
    ({"cameras": [camera(source="http://169.254.169.254/latest")]}, "outside allowed_networks"),
    ({"cameras": [camera(source="rtsp:///nohost")]}, "cameras[0].source: no host in the address"),
    ({"cameras": [camera(source="rtsp://10.1.2.3:99999/x")]}, "cameras[0].source: the port is not a number"),
    ({"cameras": [camera(id="Gate 1")]}, "cameras[0].id: "),
    ({"cameras": [camera(analysed_fps=0)]}, "cameras[0].analysed_fps: "),
    (
        {"cameras": [camera(zones=[zone()], rules=[rule(zone="garden")])]},
        "cameras[0].rules[0].zone: no zone is called 'garden'; there are: yard",
    ),
    ({"cameras": [camera(zones=[zone()], rules=[rule(kind="dancing")])]}, "cameras[0].rules[0]: "),
    (
        {"cameras": [camera(zones=[zone()], rules=[rule(label=["person"])])]},
        "cameras[0].rules[0].label: unknown key; did you mean labels? want one of cool_down_seconds, ",
    ),
    (
        {"bus": {"sasl": {"usr": "x"}}},
        "bus.sasl.usr: unknown key; did you mean user? want one of ",
    ),
    (
        {"cameras": [camera(lines=[{"name": "l", "start": [0, 0], "end": [0, 0]}])]},
        "cameras[0].lines[0]: start and end are the same point",
    ),
    ({"cameras": [camera(start_time="2026-01-01T00:00:00")]}, "cameras[0].start_time: "),
    *(
        (
            {"cameras": [camera(zones=[zone()], rules=[rule(), rule(name="other", **more)])]},
            f"cameras[0].rules[1].{words}",
        )
        for more, words in (
            (
                {"schedule": "mon-fri 22-06"},
                "schedule: 'mon-fri 22-06' is no schedule; want days, hours or both",
            ),
            (
                {"schedule": ["sat", "mo 10:00-12:00"]},
                "schedule: 'mo 10:00-12:00' has no such day; want mon, ",
            ),
            (
                {"severity": "awful"},
                "severity: Input should be 'info', 'low', 'medium', 'high' or 'critical'",
            ),
            ({"cool_down_seconds": -1}, "cool_down_seconds: Input should be greater than or equal to 0"),
            ({"min_confidence": 2}, "min_confidence: Input should be less than or equal to 1"),
            ({"labels": []}, "labels: "),
            ({"evidence": "all"}, "evidence: Input should be 'first' or 'best'"),
            (
                {"kind": "speed", "limit_kmh": 30},
                "zone: speed wants a zone with four or more [[cameras.zones.world]]",
            ),
            ({"kind": "crowding", "per_square_metre": 1}, "zone: crowding wants a zone with four or more"),
            ({"kind": "wrong_way", "direction": [0, 0]}, "direction: want a direction x y that is not zero"),
            ({"kind": "wrong_way"}, "direction: Field required"),
            ({"kind": "after_hours"}, "schedule: Field required"),
            ({"kind": "loitering", "dwell_seconds": 0}, "dwell_seconds: Input should be greater than 0"),
            ({"kind": "object_left", "labels": ["bag"]}, "labels: unknown key"),
        )
    ),
    (
        {
            "cameras": [
                camera(
                    zones=[zone()],
                    rules=[rule(), {"kind": "then", "name": "c", "rules": ["in-yard", "gone"]}],
                )
            ]
        },
        "cameras[0].rules[1].rules: no rule before it is called 'gone'; there are: in-yard",
    ),
    (
        {
            "cameras": [
                camera(zones=[zone()], rules=[rule(), {"kind": "all", "name": "c", "rules": ["in-yard"]}])
            ]
        },
        "cameras[0].rules[1].rules: ",
    ),
    (
        {"cameras": [camera(zones=[zone(world=[{"point": p, "metres": [0, 0]} for p in SQUARE])])]},
        "cameras[0].zones[0].world: the points are all the same",
    ),
    (
        {"cameras": [camera(zones=[zone(world=[{"point": [0.5, 0.5], "metres": [0, 0]}])])]},
        "cameras[0].zones[0].world: want four or more points",
    ),
    (
        {"cameras": [camera(timezone="Mars/Olympus")]},
        "cameras[0].timezone: 'Mars/Olympus' is no IANA time zone",
    ),
    ({"cameras": "many"}, "cameras: "),
    ({"timezone": "Mars/Olympus"}, "timezone: 'Mars/Olympus' is no IANA time zone"),
    ({"allowed_networks": ["10.0.0.0/99"]}, "allowed_networks: "),
    ({"centre": {"host": "0.0.0.0"}}, "centre.host: 0.0.0.0 is not loopback, so [centre] needs a token"),
    ({"centre": {"token": "short"}}, "centre.token: "),
    ({"bus": {"backend": "pigeon"}}, "bus.backend: "),
    ({"bus": {"bootstrap_servers": ["kafka"]}}, "'kafka' is not host:port"),
    ({"data_dir": "${SAFECITY_NOT_SET}"}, "data_dir: the environment variable SAFECITY_NOT_SET is not set"),
]


@pytest.mark.parametrize(("document", "words"), WRONG, ids=[words[:50] for _, words in WRONG])
def test_what_is_wrong_is_named_with_its_path(tmp_path, document, words):
    with pytest.raises(SettingsError) as refused:
        parse_site(json.loads(json.dumps(document)), tmp_path, "site.toml")
    assert words in str(refused.value)
    assert all(line.startswith("site.toml: ") for line in str(refused.value).splitlines())


def test_everything_wrong_is_said_at_once(tmp_path):
    document = {"timezone": "x", "cameras": [camera(zoom=1), camera(id="B", zones=[zone(polygon=[])])]}
    with pytest.raises(SettingsError) as refused:
        parse_site(document, tmp_path)
    assert len(str(refused.value).splitlines()) >= 4


def test_no_error_tells_a_password(tmp_path):
    document = {"cameras": [camera(source="ftp://viewer:hidden-Pa55word@10.1.2.3/x", zoom=1)]}
    with pytest.raises(SettingsError) as refused:
        parse_site(document, tmp_path)
    assert "hidden-Pa55word" not in str(refused.value)


def test_secrets_come_from_the_environment_and_do_not_show(tmp_path, monkeypatch):
    monkeypatch.setenv("GATE_PASSWORD", "hidden-Pa55word")
    source = "rtsp://viewer:${GATE_PASSWORD}@10.1.2.3/x"
    site = parse_site({"cameras": [camera(source=source)]}, tmp_path)
    assert site.cameras[0].url == "rtsp://viewer:hidden-Pa55word@10.1.2.3/x"
    for shown in (repr(site), str(site), site.model_dump_json(), str(site.cameras[0].public())):
        assert "hidden-Pa55word" not in shown


def test_paths_begin_at_the_site_file(tmp_path):
    (tmp_path / "site.toml").write_text(
        'data_dir = "d"\n[[cameras]]\nid = "a"\nsource = "clips/one two.mp4"\nplayback = "fast"\n'
    )
    site = load_site(tmp_path / "site.toml")
    assert site.data_dir == tmp_path / "d"
    assert site.cameras[0].url == f"file://{tmp_path}/clips/one two.mp4"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("cameras = [", "site.toml: "),
        ("\x00", "site.toml: "),
        (None, "site.toml: "),
        (b"\xff\xfe", "site.toml"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, content, words):
    path = tmp_path / "site.toml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SettingsError, match=words):
        load_site(path)


@pytest.mark.parametrize("command", [["worker", "--site"], ["command-center", "--site"], ["check"]])
def test_with_a_wrong_file_nothing_is_started(tmp_path, command):
    site = Path(tmp_path / "site.toml")
    site.write_text('data_dir = "d"\n[[cameras]]\nid = "a"\nsource = "rtsp://10.0.0.1/"\nzoom = 3\n')
    ended = subprocess.run(
        [sys.executable, "-m", "safecity", *command, str(site)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("safecity: ")
    assert "cameras[0].zoom: unknown key" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == [site]


def test_a_rule_file_with_a_mistake_is_said_by_check_with_exit_code_2(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(
        'data_dir = "d"\n[[cameras]]\nid = "a"\nsource = "rtsp://10.0.0.1/"\n'
        '[[cameras.rules]]\nkind = "after_hours"\nname = "night"\nschedule = "22h-6h"\n'
    )
    ended = subprocess.run(
        [sys.executable, "-m", "safecity", "check", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "cameras[0].rules[0].schedule: '22h-6h' is no schedule; want days, hours or both" in ended.stderr


def test_a_camera_has_the_sites_time_zone_or_its_own(tmp_path):
    document = {"timezone": "Asia/Karachi", "cameras": [camera(), camera(id="b", timezone="UTC")]}
    site = parse_site(document, tmp_path)
    assert [c.scene("m").timezone for c in site.cameras] == ["Asia/Karachi", "UTC"]


def test_the_time_zone_decides_events_only_where_there_is_a_schedule(tmp_path):
    def fingerprint(timezone, **more):
        document = {"timezone": timezone, "cameras": [camera(zones=[zone()], rules=[rule(**more)])]}
        return parse_site(document, tmp_path).cameras[0].fingerprint("m")

    assert fingerprint("UTC") == fingerprint("Asia/Karachi")
    assert fingerprint("UTC", schedule="sat") != fingerprint("Asia/Karachi", schedule="sat")


def test_a_zones_world_points_reach_the_scene(tmp_path):
    world = [{"point": p, "metres": [10 * p[0], 20 * p[1]]} for p in SQUARE]
    site = parse_site({"cameras": [camera(zones=[zone(world=world), zone(name="other")])]}, tmp_path)
    scene = site.cameras[0].scene("m")
    assert set(scene.grounds) == {"yard"}
    assert scene.grounds["yard"].metres(scene.zones["yard"])[2] == pytest.approx([9, 18])


def test_what_decides_events_is_in_the_fingerprint_and_only_that(tmp_path):
    def fingerprint(**more):
        site = parse_site({"cameras": [camera(zones=[zone()], rules=[rule()], **more)]}, tmp_path)
        return site.cameras[0].fingerprint("model")

    base = fingerprint()
    assert fingerprint(source="rtsp://10.9.9.9/other", name="Other", priority=9, transport="udp") == base
    assert fingerprint(analysed_fps=4) != base
    assert fingerprint(masks=[SQUARE]) != base
