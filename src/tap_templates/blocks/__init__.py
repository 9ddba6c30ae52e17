"""Building blocks: typed troposphere resources and the grants their owner may hand out."""
