"""A cloud that goes wrong, a clock that costs nothing, and a listener."""

from tap_templates.deploy.errors import (
    AccessDeniedError,
    ThrottledError,
    TransientError,
)


class Killed(BaseException):
    """The process ends here, without a word."""


class Faulty:
    """A cloud whose call number `at` (0-based, all methods counted) goes wrong once."""

    def __init__(self, cloud, at=-1, fault=""):
        self.cloud, self.at, self.fault, self.count = cloud, at, fault, 0

    def __getattr__(self, name):
        method = getattr(self.cloud, name)

        def call(*args, **named):
            number, self.count = self.count, self.count + 1
            if self.fault == "outage" and number >= self.at:
                raise TransientError("fake", "ServiceUnavailable", "")
            if number != self.at:
                return method(*args, **named)
            match self.fault:
                case "throttle":
                    raise ThrottledError("fake", "Throttling", "")
                case "server error":
                    raise TransientError("fake", "InternalFailure", "")
                case "access denied":
                    raise AccessDeniedError("fake", f"AccessDenied: {name}", "ask for it")
            answer = method(*args, **named)
            match self.fault:
                case "timeout after the effect":
                    raise TransientError("fake", "ReadTimeout", "")
                case "kill":
                    raise Killed
                case "interrupt":
                    raise KeyboardInterrupt
            return answer

        return call


FAULTS = (
    "throttle",
    "server error",
    "timeout after the effect",
    "access denied",
    "outage",  # of everything, from this call on
    "kill",
)


class FakeClock:
    def __init__(self):
        self.now, self.slept = 0.0, []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def __call__(self):
        return self.now


class Recorder:
    def __init__(self):
        self.events = []

    def saw(self, event):
        self.events.append(event)

    def of(self, kind):
        return [each for each in self.events if isinstance(each, kind)]
