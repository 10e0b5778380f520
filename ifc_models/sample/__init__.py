"""A generated residential tower in IFC4: the demo, the screenshots and the tests run on it (`twin sample`)."""

from ifc_models.sample.tower import SampleSummary, write_sample

__all__ = ["SampleSummary", "write_sample"]
