"""Studies: does a setting help? Each way is trained with several seeds and scored, and the answer has an interval."""

from artkit.studies.intervals import Interval as Interval, find_interval as find_interval, judge as judge
from artkit.studies.page import answer as answer, write_page as write_page
from artkit.studies.protocol import Study as Study, read_study as read_study
from artkit.studies.running import Outcome as Outcome, Result as Result, run_study as run_study
