import pytest

from detectors.evaluation.mot import read_mot


def test_a_truth_is_read_by_frame(tmp_path):
    path = tmp_path / "truth.txt"
    path.write_text("4,7,10,20,5,8,1,-1,-1,-1\n2,3,0,0,1,1,1,-1,-1,-1\n\n4,3,1.5,0,1,1,1,-1,-1,-1\n")
    truth = read_mot(path)
    assert truth.boxes(4).ids == (7, 3)
    assert truth.boxes(4).xyxy.tolist() == [[10, 20, 15, 28], [1.5, 0, 2.5, 1]]
    assert truth.boxes(2).ids == (3,)
    assert (truth.first, truth.last) == (2, 4)
    assert truth.boxes(3).ids == (), "a frame without a line has no objects"


def test_what_does_not_count_is_apart(tmp_path):
    path = tmp_path / "truth.txt"
    path.write_text("1,1,0,0,5,5,1,1,1\n1,2,50,0,5,5,0,8,1\n2,1,0,0,5,5\n")
    truth = read_mot(path)
    assert (truth.boxes(1).ids, truth.ignored_boxes(1).ids) == ((1,), (2,))
    assert (truth.boxes(2).ids, truth.ignored_boxes(2).ids) == ((1,), ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,3,0,0,1,1\nframe,id\n", r"truth\.txt:2: want frame,id,left,top,width,height: 'frame,id'"),
        ("1,3,0,0,1,1\n1,3,5,5,1,1\n", r"truth\.txt:2: frame 1 has object 3 already"),
        ("0,3,0,0,1,1\n", r"truth\.txt:1: want whole numbers for frame \(from 1\)"),
        ("1,3,0,0,nan,1\n", r"truth\.txt:1: want whole numbers"),
        ("1,3,0,0,0,1\n", r"truth\.txt:1: a box 0 wide and 1 high is none"),
        ("\n", r"truth\.txt: no lines"),
        (b"\xff\xfe\x00RIFF", r"truth\.txt: not a text file"),
    ],
)
def test_a_wrong_truth_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "truth.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=message):
        read_mot(path)
