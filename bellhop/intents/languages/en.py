"""English."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check in|early checkin|early chek in|check in early|check in earlier|earlier check in|checkin early",
            "check in|into the room|in the room|our room|the room|room ready|get our key & before noon|"
            "before check in|before the usual|before 0pm|before 0 pm|sooner|ahead of check in & can|could|"
            "possible|any|would|is|hoping",
            "too early to check in",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check out|late checkout|later check out|later checkout|check out late|check out later|"
            "checkout late|late departure|departing later|depart later|extend checkout|extend check out|"
            "extend our checkout",
            "keep|stay in|hang on to|remain in|vacate|leave & the room|our room|my room & until|till|longer|"
            "later|past|0 pm|0pm",
            "check out|checkout|leaving|leave & instead of 00|instead of 0|pushed back|flexib|extra hour|an hour later",
        ),
        IntentType.BOOKING_CHANGE: (
            "change|modify|amend|move|postpone|update|alter & booking|reservation|my dates|our dates|"
            "our trip|the dates",
            "extend|add|stay & one more night|another night|extra night|more nights|until monday|us for|our stay by",
            "shorten|extend|prolong & stay",
            "switch|swap|move|upgrade & room|twin|king|double|suite",
            "wrong & name|date|dates & booking|reservation|arrival",
            "add & to the booking|to the reservation|to our booking|to my booking",
            "day earlier|day later|nights instead",
            "bigger room|larger room",
        ),
        IntentType.CANCELLATION: (
            "cancel & booking|reservation|room|stay|trip|res.|please|our|policy|free|today|it.",
            "call off|call the whole thing off|cancellation",
            "not coming anymore|can't make it|won't be able to come & release|cancel|room",
            "how do i cancel|need to cancel|have to cancel|want to cancel",
        ),
        IntentType.ARRIVAL_TIME: (
            "arrive|arriving|arrival|be there|be with you|reach you|reach the hotel|get there|get in|"
            "expect us|we land|landing|check in|checking in & around 0|about 0|at 0|by 0|by about|"
            "after midnight|pm.|00.|past|late.|ish",
            "running late|flight is delayed|flight delayed|on our way|on my way|eta.|stuck in traffic|in 00 min",
            "reception|someone & arrive|open then|land",
        ),
        IntentType.DIRECTIONS: (
            "how do i get|how do we get|how can i get|how can we get|best way to|easy way to|directions",
            "address.|street number|where exactly are you|can't find the entrance|can't find you",
            "taxi|cab.|shuttle|transfer|pick up|pickup|airport pick & do you|is there|can you|could you|need|"
            "book|arrange|order|offer|want",
            "which bus|which tram|which train|which metro|metro close|how far",
        ),
        IntentType.PARKING: (
            "parking|car park|garage|where can i park|where do we park|do we park|can i park|to park",
            "where & leave|put & car.|van.|campervan|motorbike|camper",
            "charger|charging|charge & electric|ev.|tesla",
            "get a space",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet|network & password|code|pw.|pass.|connect|slow|not work|doesn't work|"
            "dropping|no internet|how do|can't|cant|log in",
            "door code|code for the door|code for the front|code to the|access code|key card|keycard|keypad",
            "locked out|no internet",
            "password",
        ),
        IntentType.HOUSEKEEPING: (
            "towels|towel. & can|could|please|pls|need|more|fresh|clean|bring|send|extra|get",
            "toilet paper|toilet roll|loo roll|toilet rolls",
            "clean|make up|made up & room|please|bed & can|could|please|needs|nobody|not|no housekeeping|waiting|come",
            "sheets|bins|rubbish|trash & change|empty|take out|take the|new|fresh",
            "bed wasn't made|no housekeeping|skip cleaning|room cleaned",
        ),
        IntentType.AMENITY_REQUEST: (
            "pillow|blanket|duvet|crib|cot.|high chair|hairdryer|hair dryer|kettle|adapter|adaptor|bathrobe|"
            "slippers|iron.|steam iron|umbrella|phone charger & can|could|may|do you|do u|need|is there|"
            "would|please|extra|have",
            "pool|gym|spa.|sauna|fitness & open|hours|book|time|24|00h|when",
            "borrow",
        ),
        IntentType.MAINTENANCE: (
            "ac.|a c.|air con|aircon|air conditioning|heating|heater|shower|toilet|tv.|light|lamp|bulb|"
            "fridge|safe.|sink|window|drain|tap.|boiler|power & not work|doesn't work|broken|won't|leak|clog|"
            "block|stuck|dead|noise|flicker|cold|wrong with|doesn't flush|went out|rattling|again",
            "no hot water|hot water & no.|isn't|not",
            "water coming|leaking|leak.",
        ),
        IntentType.COMPLAINT: (
            "disappoint|unacceptable|disgrace|ridiculous|disgusting|filthy|terrible|awful|worst|appalling|very upset",
            "complain|rude.|want a refund|like a refund",
            "noisy|so loud|too loud|shouting|stomping & sleep|do something|since|all night|here|can't",
            "room & dirty|smells|stinks|tiny",
            "bugs|cockroach|bed bugs|stains|unhappy|expected a lot more|expected more|not what we booked|"
            "cleaner than this",
        ),
        IntentType.DINING: (
            "breakfast & what time|when|included|till|until|room|serve|could we|can we|at least|is there|on sunday",
            "table & book|tonight|for two|for 0|reserve|terrace",
            "room service|menu|gluten|vegan|vegetarian|nut allergy|packed lunch|order food",
            "restaurant|kitchen & open|recommend|vegan|allerg|close",
            "where can we eat|where to eat|dinner & can|at 0|for 0",
        ),
        IntentType.PAYMENT: (
            "invoice|receipt.|the bill|my bill|vat number & send|need|please|email|can|could|wrong|split|get",
            "charge & card|twice|my|was|were|minibar|don't recognise",
            "pay & cash|card|left|how much|can i|can we",
            "deposit|money back|refund & when|get",
            "do you accept|do you take & amex|cash|card|visa|mastercard",
            "city tax|tourist tax",
        ),
        IntentType.LOST_ITEM: (
            "left|forgot|forgotten|lost.|left behind|can't find|isn't in my & jacket|charger|glasses|"
            "sunglasses|wallet|passport|phone|teddy|toy.|ring.|earring|swimsuit|kindle|camera|scarf|umbrella|"
            "airpods|coat|keys.|bag.|watch.",
            "handed in|hand in|lost and found|anyone find|anybody find",
        ),
        IntentType.OPT_OUT: (
            "stop & texting|messag|msgs|sending|texts|contacting",
            "unsubscribe|opt out|take me off|remove my number|no more messages|don't want these|"
            "do not contact me|don't contact me|remove me",
        ),
        IntentType.HUMAN: (
            "real person|a human|speak to the manager|see the manager|want the manager|duty manager|"
            "speak to someone|speak with someone|talk to someone|someone real",
            "talk to|speak to|speak with|get|connect me & person|manager|human|reception|front desk|who|them",
            "call me|ring me|phone me|call me back & please|someone|somebody|can|could|need|person|now",
        ),
    },
    guards={
        "negation": (
            "no fresh|no towels|still have enough|still have some|enough towels|didn't cancel|"
            "haven't cancelled|never got to|no need|don't need|do not need|won't need|didn't need|not needed|"
            "no thanks|no thank you|we'll pass|don't want a|not necessary|no longer need|no extra|"
            "don't have a car|not going to cancel|not cancelling|no need to|ok no|ok so no|fine with us|"
            "fine for us|no early check|no late check|haven't cancelled"
        ),
        "past": (
            "arrived safely|arrived well|was easy|was simple|were easy|paid already|already paid|"
            "already have|last year|back then|years ago|was great|was excellent|was lovely|was amazing|"
            "was superb|was wonderful|was very|we cancelled|they changed|we enjoyed|already got|"
            "already confirmed|already received|already sent|i already|you already|your colleague|we parked|"
            "we have parked|already eaten|we found the"
        ),
        "vehicle": ("my car.|our car.|the car.|the van."),
        "thanks": (
            "thanks for|thank you for|thanks so much for|thank you so much for|thx for|thanks a lot for|"
            "saved us|compliments to"
        ),
        "settled": (
            "opens the door|opens now|works in the end|worked in the end|works now|card works|came through|"
            "went through|don't stop|works now|works fine|working again|working now|is fixed|it's fixed|"
            "fine now|fine again|all good|all sorted|no complaint|found my|found her|found it|never mind|"
            "nevermind|is great|was delivered|arrived.|it stopped|received the|don't worry|no worries|"
            "called me back|received.|no problem"
        ),
    },
)
