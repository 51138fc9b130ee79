"""The studio: artkit as a page in the browser and as a REST API on this machine; an extra, `artkit-images[studio]`.

`artkit studio` serves it (`serving.py`); `app.py` is the web application, `routes.py` the table of what it answers,
from which `openapi.py` is made. One thread computes (`worker.py`); what is asked for waits in a queue that is fair
between clients (`desk.py`). The page itself is in `page/`, as it is sent.
"""
