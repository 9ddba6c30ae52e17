"""A parameter of the applier's concurrency does what it says, on both sides of the queue."""

from troposphere import encode_to_dict

from templates.trading_dr import compute

RESOURCES = encode_to_dict(compute.build().resources)


def test_as_many_batches_are_fed_as_may_be_worked_on():
    """With one side fixed, the other would promise more than there is, or have batches refused."""
    wanted = {"Ref": "ApplierConcurrency"}
    fed = RESOURCES["OrdersFeed"]["Properties"]["ScalingConfig"]["MaximumConcurrency"]
    assert fed == wanted
    applier = RESOURCES["ApplierFunction"]["Properties"]
    assert applier["ReservedConcurrentExecutions"] == wanted
