"""Events on disk before they are told to anybody; sets and sessions."""
