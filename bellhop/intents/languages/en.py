"""English."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    lists={
        "ask": (
            "can.|could|may we|may i|possible|poss.|please|pls|plz|need|would|wld|any chance|any way|is there|"
            "are there|do you|do u|have you|hoping|how|where|what|which|who|when|like to|want|wanna|is it ok|ok if|"
            "okay if|mind if|is the|are the|shall|let us|let me|got any|any.|send|bring|wondering|is it|am i|"
            "are we|does"
        ),
        "need": (
            "can.|could|may we|please|pls|plz|need|would|any chance|do you have|have you|got any|like to|want|send|"
            "bring|give us|give me|get us|get me|is there|are there|borrow|lend|drop off|missing|without|ran out|"
            "run out|out of|no more"
        ),
        "time": (
            "0pm|0am|0 pm|0 am|noon|midday|until 0|till 0|til 0|00.|at 0|by 0|around 0|about 0|before 0|after 0|"
            "o'clock|midnight|half 0|half four|half past|ish|evening|afternoon|hours|mins|minutes"
        ),
        "broken": (
            "not work|n't work|isn't work|stopped work|broken|broke.|won't|wont|leak|clog|block|stuck|dead|noise|"
            "noisy|flicker|cold|wrong with|flush|went out|rattl|packed in|jammed|drip|trip|no signal|faulty|"
            "out of order|doesn't|isn't|keeps|not turn|no power|doesnt|smell|hanging off|loose|cracked|smash|"
            "fell off|not heating|not cooling|overflow|lukewarm|won t|bust|kaput|gone off|blown"
        ),
    },
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check in|early checkin|early chek in|check in early|check in earlier|earlier check in|"
            "checkin early & !free up",
            "check in|into the room|in the room|our room|the room|room ready|get our key & before noon|"
            "before check in|before the usual|before 0pm|before 0 pm|sooner|ahead of check in & can|could|possible|"
            "any|would|is|hoping & !free up",
            "too early to check in & !free up",
            "early arrival|arrive early|arriving early|earlier check|before check in|earliest & @ask & room|"
            "check in|key|drop",
            "room|check in|checkin|key|let in|get in|let us in|in before & early|earlier|sooner|in the morning|"
            "before noon|before 0|before midday|at nine|at ten|at eleven|from 00am|around 00ish|at 0am|"
            "ahead of & can.|could|possible|poss.|any chance|any way|hoping|would & !breakfast|check out|checkout|"
            "clean|taxi|call|keep",
            "is & room & ready.|ready yet|ready early|available yet",
            "lands|landing|flight|plane & morning|at 0am|at six|early & room|check in & can|could|possible|any|"
            "would|hoping",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check out|late checkout|later check out|later checkout|check out late|check out later|"
            "checkout late|late departure|departing later|depart later|extend checkout|extend check out|"
            "extend our checkout & !settle|pay.|paying",
            "keep|stay in|hang on to|remain in|vacate|leave & the room|our room|my room & until|till|longer|later|"
            "past|0 pm|0pm & !settle|pay.|paying",
            "check out|checkout|leaving|leave & instead of 00|instead of 0|pushed back|flexib|extra hour|"
            "an hour later & !settle|pay.|paying",
            "hold|hold on to|hang on to|stay in|stay on|remain in|leave|need|use|have|keep & room & until|til|till|"
            "longer|past|bit later|few hours|couple of hours|couple hours|0pm|0 pm|mid afternoon|after noon|"
            "later than & !before|arriv|land|deposit|early|check in & @ask",
            "check out|checkout|checking out & later|late.|extend|delay|past|after 00|0pm|at 0|bit more time|"
            "couple & @ask & !thank",
            "stay & couple|few|extra & hours|hour & checkout|check out",
        ),
        IntentType.BOOKING_CHANGE: (
            "change|modify|amend|move|postpone|update|alter & booking|reservation|my dates|our dates|our trip|"
            "the dates & !duvet|pillow|blanket|pick us up|as i said|towel",
            "extend|add|stay & one more night|another night|extra night|more nights|until monday|us for|"
            "our stay by & !duvet|pillow|blanket|pick us up|as i said|towel",
            "shorten|extend|prolong & stay & !duvet|pillow|blanket|pick us up|as i said|towel",
            "switch|swap|move|upgrade & room|twin|king|double|suite & !duvet|pillow|blanket|pick us up|as i said|towel",
            "wrong & name|date|dates & booking|reservation|arrival & !duvet|pillow|blanket|pick us up|as i said|towel",
            "add & to the booking|to the reservation|to our booking|to my booking & !duvet|pillow|blanket|"
            "pick us up|as i said|towel",
            "day earlier|day later|nights instead & !duvet|pillow|blanket|pick us up|as i said|towel",
            "bigger room|larger room & !duvet|pillow|blanket|pick us up|as i said|towel",
            "bring|push|put|move|shift|rebook|reschedule|change & booking|stay|reservation|dates|arrival & forward|"
            "back|to the|another|different|later|earlier|week|days & @ask|we|i",
            "extra|additional|another|one more|two more & night.|nights & @ask|add|stay",
            "make it|be.|will be|there'll be|there will be|now & adults|people|of us|guests|three nights|"
            "two nights|four of us|five now|not four|instead of two & !table|breakfast|dinner|restaurant",
            "swap|switch|move|change|upgrade|put us & room|floor|suite|double|twin|single|sea view|king & @ask|"
            "instead|because|to a & !lightbulb|towel|sheets|pillow|clean",
            "name & booking|reservation & wrong|correct|change|spelt|misspel|under",
            "leave|check out|depart|go home|arrive|come & day sooner|day early|a day earlier|day later|one day|"
            "night less|day before|instead",
            "one night less|night fewer|cut & stay|our stay short|booked the wrong|wrong dates|wrong date|"
            "different dates|other dates",
        ),
        IntentType.CANCELLATION: (
            "cancel & booking|reservation|room|stay|trip|res.|please|our|policy|free|today|it. & !mensag|messag|"
            "sms|suscri|inscri|iscri|these messages|lista|newsletter",
            "call off|call the whole thing off|cancellation & !mensag|messag|sms|suscri|inscri|iscri|"
            "these messages|lista|newsletter",
            "not coming anymore|can't make it|won't be able to come & release|cancel|room & !mensag|messag|sms|"
            "suscri|inscri|iscri|these messages|lista|newsletter",
            "how do i cancel|need to cancel|have to cancel|want to cancel & !mensag|messag|sms|suscri|inscri|iscri|"
            "these messages|lista|newsletter",
            "cancel.|cancelling|canceling|cancelled|cancellation & booking|reservation|room|stay|trip|fee|penalty|"
            "charge|charged|free|refund|nights|ref.|policy|how|must|have to|need|want|like to|please|pls & !flight|"
            "train|not cancel|dinner|table|breakfast|taxi|membership|last year|stop|that.|we cancelled|housekeep|"
            "messages|texts|sms",
            "scrap & booking|stay|reservation|room",
            "call it off|call off & booking|stay|trip|room|have|we",
            "can't come|cannot come|not coming|won't be coming|can't make it|unable to travel|can't travel|"
            "won't make it|can't make our & booking|room|stay|reservation|anymore|any more|after all|refund|"
            "release|money",
            "lose|get & deposit|money & if & cancel|don't come|not come",
        ),
        IntentType.ARRIVAL_TIME: (
            "arrive|arriving|arrival|be there|be with you|reach you|reach the hotel|get there|get in|expect us|"
            "we land|landing|check in|checking in & around 0|about 0|at 0|by 0|by about|after midnight|pm.|00.|"
            "past|late.|ish & !get into the room|stop by|instead of",
            "running late|flight is delayed|flight delayed|on our way|on my way|eta.|stuck in traffic|"
            "in 00 min & !get into the room|stop by|instead of",
            "reception|someone & arrive|open then|land & !get into the room|stop by|instead of",
            "arriv|be there|be with you|get to you|reach|get there|turn up|roll up|roll in|land.|lands|landing|"
            "docks|touch down|expect us|check in|checking in|with you|pull in & @time & !breakfast|can we get the|"
            "room ready|keep|table|early check|taxi|late check|collect|pick",
            "delayed|late.|running & flight|train|traffic|ferry|bus|hours|hour|mins|behind|be late|"
            "an hour & !checkout|check out|last night|parcel|breakfast|refund|check.|reply|answer|sorry for",
            "eta.|we're 00 mins|we are 00 mins|mins away|minutes away|hours away|hour away|just left the airport|"
            "just landed|on our way|on the way to you",
            "anyone|someone|somebody|reception|desk & open|there|late|at night|24|after 00|midnight|on the desk|"
            "manned & arrive|get in|land|check in|late|after|midnight & !drop|gym|pool|call",
        ),
        IntentType.DIRECTIONS: (
            "how do i get|how do we get|how can i get|how can we get|best way to|easy way to|directions",
            "address.|street number|where exactly are you|can't find the entrance|can't find you",
            "taxi|cab.|shuttle|transfer|pick up|pickup|airport pick & do you|is there|can you|could you|need|book|"
            "arrange|order|offer|want",
            "which bus|which tram|which train|which metro|metro close|how far",
            "postcode|sat nav|satnav|street address|full address|your address|google maps|which exit|which stop|"
            "which line|nearest station|nearest stop|nearest metro|nearest bus|nearest tube",
            "how & get|reach|find & you|hotel|airport|station|centre|center|old town|beach|harbour|town|there",
            "bus|tram|train|metro|tube|cab.|taxi|uber|shuttle|ferry & airport|station|from|to the|to you|order|"
            "book|sort|arrange|call|get & @ask & !invoice|receipt|thanks|found|lost|left",
            "collect us|pick us up|pick me up|picked up|collected|airport pickup|airport transfer & @ask",
            "we're lost|we are lost|i'm lost|how far|how long & walk|drive|get to|is it to|from|away",
            "walk to & how|can|far|long|you & !dog",
        ),
        IntentType.PARKING: (
            "parking|car park|garage|where can i park|where do we park|do we park|can i park|to park & !sea view|"
            "not happy",
            "where & leave|put & car.|van.|campervan|motorbike|camper & !sea view|not happy",
            "charger|charging|charge & electric|ev.|tesla & !sea view|not happy",
            "get a space & !sea view|not happy",
            "park.|parking|car park|garage|carpark & @ask|how much|cost|reserve|space|spot|secure|gated|permit|"
            "free & !food|picnic|national|dog|walk in|sea view|thanks",
            "leave|put|store|space for & motorbike|bikes|bicycle|van.|car.|camper|trailer|motorhome|"
            "rv. & @ask & !keys|bag|luggage",
            "ev charg|charging point|charge point|charging station|chargers|charge our car|charge the car|"
            "charge my car|plug in the car|charge & tesla",
            "space|spot & car|vehicle|suv|trailer & @ask|high|height",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet|network & password|code|pw.|pass.|connect|slow|not work|doesn't work|dropping|"
            "no internet|how do|can't|cant|log in",
            "door code|code for the door|code for the front|code to the|access code|key card|keycard|keypad",
            "locked out|no internet",
            "password",
            "wifi|wi fi|internet|network|online|wlan & code|password|pass|connect|cutting|keeps|slow|drop|can't|"
            "cant|how|get|where|down|login|log in|log on|signal|router|not|won't|what & !airport|great|fine now|"
            "works now|perfect|thanks for",
            "door|gate|front door|entrance|building|lobby|keypad|lift|safe box|key box|keybox|main door & code|pin|"
            "number|locked|can't get in|won't open & !fridge|balcony|terrace|window",
            "key card|keycard|key.|card.|room key|fob & stopped|not work|won't|doesn't|second|spare|another|new|"
            "lost|extra|open|demagnet|locked & !car key|car keys|found|left|thanks|charge|credit|pay|debit|machine|"
            "returned",
            "locked out|can't get into|can't get in|locked ourselves",
        ),
        IntentType.HOUSEKEEPING: (
            "towels|towel. & can|could|please|pls|need|more|fresh|clean|bring|send|extra|get & !beach towel|"
            "cleaner than|hostels|at breakfast while|fluffy",
            "toilet paper|toilet roll|loo roll|toilet rolls & !beach towel|cleaner than|hostels|at breakfast while|"
            "fluffy",
            "clean|make up|made up & room|please|bed & can|could|please|needs|nobody|not|no housekeeping|waiting|"
            "come & !beach towel|cleaner than|hostels|at breakfast while|fluffy",
            "sheets|bins|rubbish|trash & change|empty|take out|take the|new|fresh & !beach towel|cleaner than|"
            "hostels|at breakfast while|fluffy",
            "bed wasn't made|no housekeeping|skip cleaning|room cleaned & !beach towel|cleaner than|hostels|"
            "at breakfast while|fluffy",
            "towel|towels|sheets|linen|bedding|bath mat|pillowcase|duvet cover & @need|change|fresh|clean|dirty|"
            "missing|extra|stain & !beach towel|pool towel|enough|no need|lost",
            "shampoo|soap|bog roll|toilet roll|loo roll|loo paper|toilet paper|tissues|shower gel|body wash|"
            "coffee pods|tea bags|teabags|coffee capsules|milk pods & @need|more|no.|finished|empty|refill|another",
            "clean|hoover|vacuum|tidy|make up|service|mop|made up|do & room|bathroom|our bed|the beds|floor|"
            "205 & @ask|nobody|not|today|tomorrow|don't|hasn't|skip & !thanks|lovely|spotless|check in|checkout|"
            "terrible|complain|service was|room service|disgust",
            "bin.|bins|rubbish|trash|garbage & empty|emptied|overflow|full|take|collect",
            "beds.|bed. & made.|not been made|change|linen",
            "housekeeping|cleaner|maid|chambermaid & come|later|when|send|skip|didn't|please|today|"
            "don't & !wonderful|lovely|thank|sweet",
        ),
        IntentType.AMENITY_REQUEST: (
            "pillow|blanket|duvet|crib|cot.|high chair|hairdryer|hair dryer|kettle|adapter|adaptor|bathrobe|"
            "slippers|iron.|steam iron|umbrella|phone charger & can|could|may|do you|do u|need|is there|would|"
            "please|extra|have",
            "pool|gym|spa.|sauna|fitness & open|hours|book|time|24|00h|when",
            "borrow",
            "hot water bottle|fan.|pillow|blanket|duvet|cot.|crib|high chair|highchair|hairdryer|hair dryer|kettle|"
            "adapter|adaptor|bathrobe|robe|slippers|iron.|ironing board|umbrella|phone charger|corkscrew|microwave|"
            "parasol|beach towel|pool towel|yoga mat|toothbrush|toothpaste|razor|sewing kit|board game|"
            "bottle opener|wine glasses|extra chair|extension lead|extension cable|usb|baby bath|bottle warmer|"
            "steriliser|sterilizer|heater|dehumidifier|fridge|bikes|plug converter|shaving|first aid|plasters|"
            "stroller|buggy|wheelchair|bed rail|playpen|desk lamp|luggage rack & @need|rent|hire|"
            "for the room & !broken|work|forgot|left|found|packed|thanks|cold|leak",
            "pool|gym|spa.|sauna|steam room|fitness|jacuzzi|hot tub|massage|treatment|tennis|laundry|"
            "washing machine|bikes|bike hire|rooftop & open|hours|book|when|what time|until|close|free|available|"
            "cost|how much|use|rent|where|like|want & !loved|lovely|great|noise|noisy",
            "borrow|lend us|lend me|rent & bike|umbrella|any|a",
        ),
        IntentType.MAINTENANCE: (
            "ac.|a c.|air con|aircon|air conditioning|heating|heater|shower|toilet|tv.|light|lamp|bulb|fridge|"
            "safe.|sink|window|drain|tap.|boiler|power & not work|doesn't work|broken|won't|leak|clog|block|stuck|"
            "dead|noise|flicker|cold|wrong with|doesn't flush|went out|rattling|again",
            "no hot water|hot water & no.|isn't|not",
            "water coming|leaking|leak.",
            "ac.|a c.|air con|aircon|air conditioning|heating|heater|radiator|shower|toilet|loo.|tv.|telly|light|"
            "lamp|bulb|socket|plug|fridge|safe.|sink|basin|window|blind|curtain|drain|tap.|taps|boiler|power|"
            "hairdryer|kettle|door|balcony|lock|lift|elevator|bath.|ceiling|pipe|extractor|remote|thermostat|water|"
            "electric|fuse|hob|oven|wardrobe|shelf|handle|minibar & @broken & !working now|works now|fixed|"
            "no longer|code|card|key|thanks|towel|bag|all night|again now|phone|laptop|car.|breakfast|coffee",
            "hot water|water & no.|isn't|not|without|only|stopped & !bottle",
            "smell & gas|burning|smoke|sewage",
            "leak|water & ceiling|floor|everywhere|through|wall & !pool",
            "light|bulb & gone|out.|blown",
            "can't & open|close|shut|turn off|turn on|lock|switch & window|heating|ac.|air|door|safe.|tv|shower|"
            "radiator|light|blind & !code|card|building|thermostat code",
        ),
        IntentType.COMPLAINT: (
            "disappoint|unacceptable|disgrace|ridiculous|disgusting|filthy|terrible|awful|worst|appalling|very upset",
            "complain|rude.|want a refund|like a refund",
            "noisy|so loud|too loud|shouting|stomping & sleep|do something|since|all night|here|can't",
            "room & dirty|smells|stinks|tiny",
            "bugs|cockroach|bed bugs|stains|unhappy|expected a lot more|expected more|not what we booked|"
            "cleaner than this",
            "appalled|shambles|disgrace|joke.|shocking|unacceptable|not good enough|not happy|unhappy|really poor|"
            "very poor|bad review|not impressed|fed up|ruined|rip off|ripped off|furious|let down|poor service|"
            "awful|horrible|terrible|dreadful|disappoint|refund us|compensation|never again|not worth|"
            "nightmare & !wifi at|flight|weather|traffic|not disappoint|no complaint|airport|not terrible",
            "mould|mold|cockroach|ants|bugs|filthy|dirty|hair in|hairs|stain|smells of|stinks|cigarette smoke|rat.|"
            "mouse|mice & !towel|laundry|could you|please clean",
            "party|noise|noisy|music|shout|bang|drilling|construction|building work|loud|racket|neighbours|"
            "neighbors|next door & sleep|slept|night|again|hours|stop|can't|ask them|turn|unbearable|"
            "quiet & !stopped|thanks|fridge|fan|no worries|not noisy",
            "rude|ignored us|spoke to my|unfriendly|attitude|shouted at & staff|colleague|waiter|reception|"
            "receptionist|he.|she.|they|us.|me.|desk",
            "not what we|nothing like the & photos|booked|paid|pictures|expected|ordered",
        ),
        IntentType.DINING: (
            "breakfast & what time|when|included|till|until|room|serve|could we|can we|at least|is there|"
            "on sunday & !hold on to the room|while we're at|free around|make up the room",
            "table & book|tonight|for two|for 0|reserve|terrace & !hold on to the room|while we're at|free around|"
            "make up the room",
            "room service|menu|gluten|vegan|vegetarian|nut allergy|packed lunch|order food & !hold on to the room|"
            "while we're at|free around|make up the room",
            "restaurant|kitchen & open|recommend|vegan|allerg|close & !hold on to the room|while we're at|"
            "free around|make up the room",
            "where can we eat|where to eat|dinner & can|at 0|for 0 & !hold on to the room|while we're at|"
            "free around|make up the room",
            "dinner|breakfast|lunch|brunch|afternoon tea|buffet & what time|when|until|serve|serving|included|"
            "include|still|start|finish|much|cost|free|book|reserve|late|early|takeaway|packed|to go|in our room|"
            "to the room|add|have & @ask & !delicious|superb|lovely|best|amazing|cold and|early start|eaten|"
            "don't need|charged",
            "table & book|reserve|for 0|for two|for four|tonight|saturday|restaurant|people|get a & !on the table|left",
            "restaurant|bar.|kitchen|cafe|rooftop bar & open|close|serve|still|hours|time|book|menu|"
            "dress code & !noise|bill|charge",
            "allerg|coeliac|celiac|vegan|vegetarian|halal|kosher|dairy free|lactose|gluten|nut free|"
            "intoleran & menu|food|kitchen|chef|do you|can|options|please|breakfast|any|have|tell|manage|"
            "cater & !as the booking",
            "send|order|bring|have|get & sandwich|beers|wine|bottle of|coffee to|pizza|burger|club|champagne|snack|"
            "ice bucket|meal|food & room|to 00|to 000|up|to our|order|delivered & !left|kettle",
            "where|anywhere|somewhere|recommend|any good|place & eat|dinner|restaurant|curry|food|lunch|pizza|"
            "sushi|tapas|seafood & !ate at|we ate",
            "bar still open|kids menu|children's menu|kids eat|children eat|see the menu|have a menu|menu please|"
            "the menu",
        ),
        IntentType.PAYMENT: (
            "invoice|receipt.|the bill|my bill|vat number & send|need|please|email|can|could|wrong|split|get",
            "charge & card|twice|my|was|were|minibar|don't recognise",
            "pay & cash|card|left|how much|can i|can we",
            "deposit|money back|refund & when|get",
            "do you accept|do you take & amex|cash|card|visa|mastercard",
            "city tax|tourist tax",
            "receipt|invoice|vat.|the bill|our bill|my bill & @ask|name|company|wrong|mistake|error|email|settle|"
            "pay|split|put|copy|send|correct|issue & !thanks|received|inbox|got the|settled the|arrived",
            "payment|charged|charge|billed|debited|taken|overcharged|double charged & twice|authoris|authoriz|card|"
            "wrong|three nights|didn't|don't|why|not ours|error|extra|minibar|instead|too much|unknown|"
            "refund & !parking|charge our car|phone charg|charge for|thanks|all fine|keycard|key card|battery|"
            "cable|cancel",
            "pay.|settle|paying & @ask|cash|card|online|in advance|link|now|paypal & !parking|pay for & !paid",
            "deposit|refund|money back|preauthor|pre authoris|hold on my card & when|how|why|get|still|not|back|"
            "refundable|@ask & !cancel|thanks|came through",
            "take|accept & contactless|apple pay|google pay|amex|american express|card|cash|dollars|euros|pounds|visa",
            "total & owe|due|stay|bill|pay",
            "city tax|tourist tax|what do we owe|how much do we owe|balance due|outstanding balance|"
            "what is the 00 for|payment link",
        ),
        IntentType.LOST_ITEM: (
            "left|forgot|forgotten|lost.|left behind|can't find|isn't in my & jacket|charger|glasses|sunglasses|"
            "wallet|passport|phone|teddy|toy.|ring.|earring|swimsuit|kindle|camera|scarf|umbrella|airpods|coat|"
            "keys.|bag.|watch.",
            "handed in|hand in|lost and found|anyone find|anybody find",
            "left|forgot|forgotten|lost.|lose|left behind|can't find|cant find|missing|fell out|must be in|dropped|"
            "mislaid|misplaced & charger|glasses|wallet|passport|phone|teddy|toy.|bunny|ring.|earring|swimsuit|"
            "kindle|ipad|laptop|camera|scarf|umbrella|airpods|headphones|coat|keys.|bag.|watch.|shoe|cardigan|"
            "jumper|jacket|hat.|bracelet|necklace|book.|tablet|purse|rucksack|backpack|bag of|medication|pills|"
            "retainer|dress|shirt|belt|gloves|pyjamas|toothbrush|cap.|doll|suitcase|blanket & !borrow|"
            "where can we leave|can we leave|could we leave|leave my|at home|found it|found my|"
            "forgot my charger do|lend|do you have|rental",
            "found|handed in|hand in|turned up|come across|seen & anyone|anybody|someone|has|did|have & !thanks|"
            "glad|parking",
            "lost property|lost and found|lost & found|left something|forgot something|left it in|left my|left our|"
            "left his|left her & room|anyone|could|can|check|look|post|send|safe|in the|in 00|by the|wardrobe|"
            "property|found|missing|something & !car|bags at|luggage",
        ),
        IntentType.OPT_OUT: (
            "stop & texting|messag|msgs|sending|texts|contacting",
            "unsubscribe|opt out|take me off|remove my number|no more messages|don't want these|do not contact me|"
            "don't contact me|remove me",
            "stop|quit|please stop|cease & texting|messag|msgs|sending|texts|contacting|texting|spam|these|emails|"
            "adverts & !don't stop|never stop|leak|bus|please don't",
            "don't|do not|no more|not want|never & message me|text me|contact me|messages|texts|promotion|"
            "marketing|offers|newsletter|adverts|sms|spam & me|more|receive|any|wish|again|want|ever|"
            "please & !hesitate|get my|got your|received",
            "unsubscribe|opt me out|opt out|opt us out|take my number|remove my number|delete my number|"
            "off your list|off your system|mailing list|remove me from|leave me alone|wrong number stop|stop all",
        ),
        IntentType.HUMAN: (
            "real person|a human|speak to the manager|see the manager|want the manager|duty manager|"
            "speak to someone|speak with someone|talk to someone|someone real",
            "talk to|speak to|speak with|get|connect me & person|manager|human|reception|front desk|who|them",
            "call me|ring me|phone me|call me back & please|someone|somebody|can|could|need|person|now",
            "speak|talk|chat|spk & person|human|manager|someone|somebody|reception|owner|front desk|staff|agent|"
            "who.|real|supervisor & !spoke|like someone|yesterday|nice talking",
            "real person|actual person|actual human|human being|is this a bot|are you a bot|a robot|bot.|automated|"
            "machine & talk|speak|person|human|want|get|someone|answer|please|stop|need",
            "call me|ring me|phone me|give me a call|give us a call|give me a ring|call us|ring us|callback|"
            "call back|phone number for & please|pls|can|could|would|need|someone|asap|urgent|back|on 0|"
            "have & !i'll call|will call|called|called me|a taxi",
            "put me through|transfer me|connect me|get me the|get me a|i want the manager|need the manager|"
            "is the manager|manager & now|please|in.|around|available|to & !nice|kind|wonderful|star",
        ),
    },
    guards={
        "negation": (
            "no fresh|no towels|still have enough|still have some|enough towels|didn't cancel|haven't cancelled|"
            "never got to|no need|don't need|do not need|won't need|didn't need|not needed|no thanks|no thank you|"
            "we'll pass|don't want a|not necessary|no longer need|no extra|don't have a car|not going to cancel|"
            "not cancelling|no need to|ok no|ok so no|fine with us|fine for us|no early check|no late check|"
            "forget about|forget the|we'll manage without|don't bother|no bother|not bothered|honestly no|"
            "we're good|no longer want|can do without|rather not|decided against|don't want any|won't be needing|"
            "no towels today|don't want to cancel|not to cancel|no plans to|no changes|nothing to change|"
            "didn't want|we have enough|have plenty|already booked|no parking needed|without a car|not driving|"
            "not bringing|manage without"
        ),
        "past": (
            "arrived safely|arrived well|was easy|was simple|were easy|paid already|already paid|already have|"
            "last year|back then|years ago|was great|was excellent|was lovely|was amazing|was superb|was wonderful|"
            "was very|we cancelled|they changed|we enjoyed|already got|already confirmed|already received|"
            "already sent|i already|you already|your colleague|we parked|we have parked|already eaten|we found the|"
            "last time|last visit|first time|as the booking says|as i said|on the booking|got it fine|noted|"
            "all good as|we've already|i've already|we already|have already|had already|was spot on|was brilliant|"
            "was fantastic|was perfect|was comfy|was delicious|were lovely|were great|were amazing|turned up bang|"
            "the other day we|we've parked|we've checked|we checked out|which was|ate at|we ate|yesterday was|"
            "it was great|works a treat|best breakfast|to die for|a star|was so|were so|for next year|"
            "for another hotel|at the airport was|in our last hotel|at another hotel|used to|were here in|"
            "had late check out then|stop by the desk|will call from|had a chat"
        ),
        "vehicle": ("my car.|our car.|the car.|the van."),
        "thanks": (
            "thanks for|thank you for|thanks so much for|thank you so much for|thx for|thanks a lot for|saved us|"
            "compliments to|cheers for|cheers|thank you so much|thanks a million|thanks a lot|ty for|"
            "much appreciated|really appreciated|well done|hats off|kudos|grateful|thanks to|thanks the|"
            "thanks your|thank your|thank you that|thanks that's"
        ),
        "settled": (
            "opens the door|opens now|works in the end|worked in the end|works now|card works|came through|"
            "went through|don't stop|works fine|working again|working now|is fixed|it's fixed|fine now|fine again|"
            "all good|all sorted|no complaint|found my|found her|found it|never mind|nevermind|is great|"
            "was delivered|arrived.|it stopped|received the|don't worry|no worries|called me back|received.|"
            "no problem|is back.|back on|sorted now|sorted thanks|we're sorted|got sorted|fixed now|is fine now|"
            "working a treat|nothing missing|turned up in|was in my|has turned up|it's back|back to normal|"
            "cancel that|got the wifi|got in fine|got in ok|managed to|noise stopped|resolved|no issues|"
            "no problems|keys are on|left the key|is perfect|is spotless|looks spotless|works perfectly|"
            "works great|working fine|work fine|fine thanks|found in|just found|worked first time|first time lucky|"
            "while we were out perfect|out perfect"
        ),
    },
)
