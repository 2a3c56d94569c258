"""Two processes on one machine never write one index."""

from bot.ai.folder import own_folder


def test_each_process_has_a_folder_of_its_own_and_the_next_one_takes_what_is_free(tmp_path):
    index = tmp_path / "data" / "index"
    with own_folder(index) as first, own_folder(index) as second:
        assert (first, second) == (index, tmp_path / "data" / "index-2")
    with own_folder(index) as again:
        assert again == index
