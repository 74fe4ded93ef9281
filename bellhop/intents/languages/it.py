"""Italian."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|check in anticipato|check in prima|entrare prima",
            "la camera|in camera|le chiavi & prima delle 00|prima di mezzogiorno|prima dell'orario|"
            "al piu presto|subito|prima del solito|libera alle",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|check out posticipato|check out piu tardi|uscire piu tardi|ritardare l'orario|"
            "partire piu tardi|ritardare la partenza|spostare la partenza",
            "tenere|restare in|rimanere in|lasciare|lasciamo & la camera|camera|la stanza & fino|"
            "un po' di piu|oltre le|invece|alle 00|verso l'una",
            "partire alle|uscire alle & invece|possiamo|si puo",
            "restare fino alle",
        ),
        IntentType.BOOKING_CHANGE: (
            "cambiare|modificare|spostare|allungate|accorciare|prolungare & prenotazione|le date|il nome|"
            "soggiorno|fino a|notti",
            "aggiungere|ancora & una notte|notti",
            "camera|matrimoniale|scambiare & letti separati|piu grande|singole|upgrade",
            "sbagliat & prenotazione|data di arrivo|la data",
            "un giorno prima|vista mare",
        ),
        IntentType.CANCELLATION: (
            "cancellare|cancellate|annullare|annullate|disdire|disdetta|cancello & prenotazione|camere|"
            "camera|viaggio|tutto|gratis|soggiorno|come|devo|dobbiamo|oggi|pren|per favore|pure",
            "cancellazione",
            "non possiamo venire|alla fine non veniamo",
        ),
        IntentType.ARRIVAL_TIME: (
            "arriviamo|arrivo|saremo|atterr|siamo li & alle 0|verso le|00|dopo mezzanotte|previsto|in ritardo|e mezza",
            "facciamo tardi|volo e in ritardo|per strada|nel traffico|un'ora di ritardo",
            "reception & aperta|arriviamo",
        ),
        IntentType.DIRECTIONS: (
            "come si arriva|come arrivo|come si va|come possiamo arrivare",
            "l'indirizzo|numero civico|non troviamo l'ingresso|dove siete",
            "taxi|navetta|transfer|autobus|prendere in aeroporto & c'e|potete|serve|prenotate|chiamate|che.|"
            "fate|venirci",
            "quanto dista",
        ),
        IntentType.PARKING: (
            "parcheggi|posto auto|garage",
            "dove & lasciare|mettiamo & macchina|auto.|camper|moto.",
            "lasciare l'auto|colonnina",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet & password|codice|non funziona|lentissimo|lento|niente|connett|collegar",
            "codice & porta|portone|accesso|cancello|non va.",
            "password|tessera non apre|chiusi fuori|tastierino",
        ),
        IntentType.HOUSEKEEPING: (
            "asciugamani & potremmo|potete|puliti|per la|per favore|servono|altri|portate|solo|ci date",
            "carta igienica|lenzuola|cestino|teli bagno|spazzatura",
            "pulire|pulita|pulizie|rifatto & camera|la 000|oggi",
            "letto e da rifare|carta in bagno",
        ),
        IntentType.AMENITY_REQUEST: (
            "cuscino|coperte|coperta|trapunta|culla|ferro da stiro|ferro a vapore|asciugacapelli|bollitore|"
            "adattatore|ombrello|caricabatterie|accappatoio & possiamo|potete|avete|avreste|serv|c'e|"
            "prestate|favore|possibile|camera|un altro|un'altra",
            "piscina|palestra|spa.|sauna & che ora|apre|aperta|prenotare|quando|orari",
        ),
        IntentType.MAINTENANCE: (
            "aria condizionata|riscaldamento|doccia|water|sciacquone|tv.|lampadina|lampada|finestra|"
            "cassaforte|lavandino|luce|frigo & non funziona|rott|intasat|guast|fulminat|perde|non si accende|"
            "non si chiude|bloccat|non scarica|andata via|fredda|non parte|aria calda",
            "acqua calda & non|niente|senza",
            "scende acqua|perdita d'acqua",
        ),
        IntentType.COMPLAINT: (
            "inaccettabile|delus|vergogna|pessimo|reclamo|il peggior|maleducato|arrabbiat|schifo|ci aspettavamo di piu",
            "rumore|urlano & dorm|da mezzanotte|fate qualcosa|assurdo|tremendo",
            "la camera & sporca|puzza",
            "insetti|scarafaggi|cimici|macchie|non e quello che|piu puliti",
        ),
        IntentType.DINING: (
            "colazione & ora.|inclusa|possiamo|servite|fino a",
            "un tavolo & prenotare|stasera|per.|terrazza",
            "senza glutine|vegan|vegetarian|allergic|il menu|ordinare in camera|da mangiare in camera",
            "ristorante|cucina & aperto|aperta|piatti",
            "dove si mangia|cena alle|cenare alle",
        ),
        IntentType.PAYMENT: (
            "fattura|ricevuta & mand|serve|vuole|intestata|puo",
            "addebit & due volte|carta|minibar|riconosco|mi avete",
            "pagare & contanti|carta|bancomat|resta|si puo|posso",
            "cauzione|i soldi & quando",
            "errore nel conto|accettate|tassa di soggiorno",
        ),
        IntentType.LOST_ITEM: (
            "lasciat|dimenticat|perso|non trovo|rimasto|non e in borsa|lasciato & giacca|caricatore|occhiali|"
            "portafoglio|passaporto|telefono|peluche|orecchino|macchina fotografica|anello|l'anello|sciarpa|"
            "cappotto|chiavi",
            "qualcuno & ha trovato|ha consegnato",
            "stato consegnato",
        ),
        IntentType.OPT_OUT: (
            "basta & messaggi|sms",
            "cancellarmi dalla|non scrivetemi|togliete il mio numero|toglietemi|ricevere pubblicita|"
            "disiscriv|smettetela",
        ),
        IntentType.HUMAN: (
            "parlare con & persona|direttore|qualcuno|chi.|reception|operatore",
            "chiamare|richiamare|chiami|chiamarmi & mi.|fatemi|faccia|qualcuno",
            "operatore umano|mi passi",
        ),
    },
    guards={
        "negation": (
            "niente asciugamani|ne abbiamo ancora|non ho cancellato|non abbiamo cancellato|non ho annullato|"
            "non sono un robot|non serve|non servono|non ci serve|no grazie|niente early|niente late|"
            "non abbiamo la macchina|niente da cambiare|non cancelliamo|non abbiamo intenzione|va bene.|"
            "pazienza"
        ),
        "past": (
            "arrivati bene|e stato facile|era facile|l'anno scorso|era ottima|era eccellente|"
            "e stata fantastica|e stato gentil|e arrivata|ci hanno cambiato|abbiamo parcheggiato|"
            "gia confermato|gia spiegato|gia mandato|gia pagato|gia cenato|abbiamo cenato|goduti|ci ha preso|"
            "e andato"
        ),
        "vehicle": ("l'auto|la macchina|il camper"),
        "thanks": ("grazie per|grazie mille per|ci ha salvati|complimenti"),
        "settled": (
            "nuova tessera|nuova chiave|ora apre|ha funzionato|adesso va|ora va|ora funziona|va benissimo|"
            "tutto ok|a posto|nessuna lamentela|tutto perfetto|ritrovato|non si preoccupi|tranquilli|wifi ok|"
            "e arrivato|trovate le|richiamato|niente di grave|parcheggio trovato|sotto il letto|e facile|"
            "stato facile|puntuale"
        ),
    },
)
