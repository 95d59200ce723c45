"""The life of a gym as a corpus: sessions of every kind, labelled by the whole contract."""
