"""Pay for answers that came too late to count: staff decide, the crowd provider pays, once.

A late answer is, in this order, and never goes back:

- *unpaid*: it is kept (`daemon/late_answers.py`), and nobody has decided to pay for it. Most stay so.
- *owed*: staff have said so. The amount, who said it, the errand to the provider and the record that
  `crowdctl why` reads are stored in one transaction. From here on the agent gets its unit back no more, so no
  review pays it as well; and no other late answer of it is paid. The provider may have been told any number
  of times, by one payment id, and we do not know whether it has paid: it is told until it says so.
- *paid*: the provider took it. That is stored in the transaction that forgets the errand.

A crash leaves one of the three; whoever is owed is paid by the errand after the next start. What the store
guards is in `storage/late_rules.py`, for every body.
"""

from .decisions import LATE_PAY
from .explain import explain_late_pay
from .payer import LatePaid, LatePayer

__all__ = ["LATE_PAY", "LatePaid", "LatePayer", "explain_late_pay"]
