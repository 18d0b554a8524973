import pandas as pd

from napari_latent_explorer.io.table_facts import ColumnFacts, TableFacts, facts_of, with_facts


def test_facts_ride_with_a_table_and_its_columns_without_being_copied() -> None:
    facts = TableFacts("SPSS", columns={"x": ColumnFacts("Title", (("1", "one"),), ("9",))})
    table = with_facts(pd.DataFrame({"x": [1], "y": [2]}), facts)
    assert facts_of(table) is facts
    assert facts_of(table[["x"]]) is facts  # pandas copies attrs deeply; ten thousand columns would take hours
    assert table["x"].attrs["file_facts"] is facts


def test_a_table_made_in_memory_has_none() -> None:
    assert facts_of(pd.DataFrame({"x": [1]})) == TableFacts()
    table = pd.DataFrame({"x": [1]})
    table.attrs["file_facts"] = "somebody else's"
    assert facts_of(table) == TableFacts()
