"""French."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|arrivee anticipee|check in anticipe|check in plus tot|check in avant",
            "la chambre|les cles|entrer|monter|check in & plus tot|avant midi|avant 00h|avant l'heure|"
            "des le matin|au plus tot|directement dans",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|depart tardif|check out tardif|checkout tardif|check out plus tard|"
            "checkout plus tard|partir plus tard|depart plus tard|decaler le depart",
            "garder|rester|liberer|rendre & la chambre|les cles & jusqu'a|jusque|plus longtemps|apres 00h|a 00h|vers",
            "partir|depart & au lieu de 00h|a 00h & possible|peut|vendredi",
            "rester jusqu'a 00h",
        ),
        IntentType.BOOKING_CHANGE: (
            "changer|modifier|decaler|reporter|raccourcir|prolonger|rallonger & reservation|les dates|sejour|"
            "le nom|jusqu'a|jeudi|possible|pouvez",
            "ajouter|rester|encore & une nuit|nuits",
            "chambre|double|echanger|surclass & lits jumeaux|plus grande|lits simples|vue mer|changer",
            "trompe & date|dates|nom",
            "erreur dans le nom",
            "un jour plus tot",
        ),
        IntentType.CANCELLATION: (
            "annuler|annulez|annule.|annulation & reservation|chambre|sejour|gratuit|comment|dois|devons|svp|"
            "tout|resa|conditions|on ne|si j'",
        ),
        IntentType.ARRIVAL_TIME: (
            "on arrive|nous arriv|j'arrive|on sera|nous serons|arrivee prevue|atterri & 00h|0h|vers|minuit|"
            "retard|tard|plutot|heures",
            "en route|en retard|vol est retarde|bouchons",
            "reception & ouverte|arrive|quelqu'un a la",
        ),
        IntentType.DIRECTIONS: (
            "comment venir|comment aller|comment on accede|comment se rendre|comment rejoindre",
            "l'adresse|numero de rue|on ne trouve pas|vous etes ou",
            "taxi|navette|transfert|bus.|nous chercher & il y a|y a t il|pouvez|besoin|reserver|commandez|"
            "quel|faites|aeroport",
            "a quelle distance",
        ),
        IntentType.PARKING: (
            "parking|stationnement|se garer|se gare|garage|place de parking",
            "ou & laisser|mettre & voiture|camping car|moto",
            "borne & electrique|voiture",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet|reseau & code|mot de passe|mdp|ne marche pas|lent.|connect|pas d'|impossible",
            "code & porte|acces|digicode|portail",
            "mot de passe|digicode|carte n'ouvre|enfermes dehors|a me connecter",
        ),
        IntentType.HOUSEKEEPING: (
            "serviettes & pourrait|pouvez|propres|svp|pour la|besoin|juste|amenez|faudrait|en plus",
            "papier toilette|pq.|les draps|poubelle",
            "menage|nettoyer|nettoyee|faire la chambre|le lit n'est pas fait",
            "papier & toilettes",
        ),
        IntentType.AMENITY_REQUEST: (
            "oreiller|couverture|couette|lit bebe|lit pour notre bebe|seche cheveux|fer a repasser|"
            "fer vapeur|fer.|bouilloire|adaptateur|parapluie|un chargeur|peignoir & pouvez|peut|possible|"
            "vous avez|avez|auriez|y a t il|faudrait|faut|plus|svp|preter|emprunter|chambre",
            "piscine|spa.|salle de sport|sauna & heure|ouvre|ouverte|reserver|quand|horaires",
        ),
        IntentType.MAINTENANCE: (
            "clim|chauffage|douche|toilettes|chasse d'eau|tele.|ampoule|lampe|fenetre|coffre|lavabo|frigo & "
            "ne marche pas|panne|cassee|casse.|bouche|grille|fuite|ne s'allume|ne ferme|bloque|s'evacue|"
            "froide|demarre|souffle du chaud",
            "eau chaude & pas.|plus d'",
            "plus d'electricite|fuite|eau coule",
        ),
        IntentType.COMPLAINT: (
            "inadmissible|inacceptable|decu.|decus|deception|lamentable|honte|reclamation|me plaindre|"
            "le pire|mecontent|desagreable|attendait mieux",
            "bruit|bruyant|crient & dormir|dormi|depuis|faites quelque|possible",
            "la chambre & sale|sent la|sent mauvais",
            "cafards|punaises|taches|pas du tout ce qu'on|plus propres",
        ),
        IntentType.DINING: (
            "petit dej|petit dejeuner & heure|inclus|peut|servez|jusqu'a|chambre",
            "une table & reserver|ce soir|pour|terrasse",
            "sans gluten|vegetal|vegan|vegetarien|allergique|la carte du|room service|menu",
            "restaurant|cuisine & ouvert|plats",
            "diner|manger & ou.|possible|en chambre|dans le coin",
        ),
        IntentType.PAYMENT: (
            "facture.|recu & envoy|veut|faut|nom|pouvez|besoin",
            "debite|facture & deux fois|carte|minibar|reconnais|m'avez",
            "payer & especes|carte|reste|peut",
            "caution|rembours & quand|rendue",
            "erreur sur la note|vous prenez|vous acceptez|taxe de sejour",
        ),
        IntentType.LOST_ITEM: (
            "j'ai laisse|oublie|perdu|ne trouve plus|du laisser|reste dans|n'est pas dans & veste|chargeur|"
            "lunettes|portefeuille|passeport|telephone|doudou|boucle|appareil photo|bague|echarpe|manteau|"
            "cles.|sac.",
            "quelqu'un & a trouve|a rapporte",
            "a ete rapportee",
        ),
        IntentType.OPT_OUT: (
            "me desinscrire|me desabonner|desabonnement|ne m'ecrivez|supprimez mon numero|ne me contactez|"
            "retirez moi de|stop aux",
            "arretez & m'envoyer|m'ecrire|messages",
            "ne veux plus recevoir",
        ),
        IntentType.HUMAN: (
            "parler & personne|responsable|directeur|quelqu'un|qui.|reception|humain",
            "m'appeler|me rappelle|rappelez moi|m'appelle|faites moi appeler|passez moi",
            "un humain",
        ),
    },
    guards={
        "negation": (
            "pas de serviettes|en a encore|avons encore|n'ai rien annule|n'a pas annule|pas besoin|"
            "n'aura pas besoin|n'aurons pas besoin|non merci|rien a changer|n'annule pas|"
            "ne compte pas annuler|pas d'arrivee|tant pis|n'avons pas de voiture|nous va.|"
            "pas de depart tardif"
        ),
        "past": (
            "bien arrives|etait facile|tres facile|deja paye|l'an dernier|femme de menage|dame du menage|"
            "l'annee derniere|etait delicieux|etait excellent|etait a l'heure|bien recu|on a change|"
            "nous a change|sommes gares|on est gares|deja confirme|deja explique|deja envoye|deja dine|"
            "deja paye|on a dine|on a profite|est passe.|avait annule|a ete adorable|ont ete adorable"
        ),
        "vehicle": ("la voiture|le camping car"),
        "thanks": ("merci pour|merci beaucoup pour|merci de nous avoir|nous a sauves|bravo"),
        "settled": (
            "nouvelle carte|nouvelle cle|ouvre maintenant|finalement fonctionne|marche maintenant|remarche|"
            "marche tres bien|est reparee|c'est regle|tout va bien|rien a redire|en ordre|retrouve mes|"
            "ne vous inquietez|ne vous en faites|c'est bon pour|est arrive|m'a rappele|rien de grave|"
            "est parfait|sous le lit"
        ),
    },
)
