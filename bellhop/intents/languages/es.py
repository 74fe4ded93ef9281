"""Spanish."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|check in temprano|check in antes|checkin antes|check in anticipado|entrada anticipada",
            "entrar|la habitacion|el cuarto|las llaves|la llave|hacer la entrada|check in & antes de la hora|"
            "antes de las 00|antes de mediodia|mas temprano|antes de tiempo|entrar antes|"
            "tener la habitacion antes|subir ya|lista la habitacion|como muy pronto",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|salida tardia|salida tarde|check out tarde|check out mas tard|checkout tarde|"
            "salir mas tarde|retrasar la salida|retrasar la hora de salida|atrasar la salida",
            "quedarnos|quedarme|conservar|mantener|dejar|tener & la habitacion|el cuarto & hasta|pasadas|"
            "mas tarde|a la una|a las 0|un poco mas",
            "salir & en vez de a las|en lugar de a las",
            "salir a la 0|salir a la una",
        ),
        IntentType.BOOKING_CHANGE: (
            "cambiar|modificar|mover|corregir|ampliar|amplian|actualizar|aplazar & reserva|las fechas|"
            "la fecha|estancia|estadia|reservacion",
            "anadir|agregar|sumar|una & noche mas|noches mas|otra noche",
            "cambiar|cambiarnos|pasar|upgrade & habitacion|dos camas|individuales|doble|vista",
            "un dia antes|acortar|mal la fecha|nombre & reserva|llegada|llegar|estancia|quedarnos",
            "habitacion mas grande|vista al mar",
        ),
        IntentType.CANCELLATION: (
            "cancelar|cancelen|anular|anulen|cancelo|suspender & reserva|habitacion|viaje|estancia|por favor|"
            "todo|gratis|puedo|quiero|tengo que|necesito|hoy",
            "cancelacion|no vamos a ir|no podemos ir|no podemos viajar",
        ),
        IntentType.ARRIVAL_TIME: (
            "llegamos|llegaremos|llegare|llego|aterriz|hora de llegada|llegada prevista & a las|sobre las|"
            "a la 0|00|despues de medianoche|tarde|como a|en 00 min|0.",
            "vamos con retraso|vuelo se ha retrasado|estamos en camino|llegamos tarde",
            "recepcion & llegamos|abierta|aterrizo",
        ),
        IntentType.DIRECTIONS: (
            "como llego|como se llega|como llegar|como se va|como podemos llegar|podemos llegar al hotel",
            "la direccion|que numero de la calle|no encuentro la entrada|no encontramos|donde estan.",
            "taxi|traslado|autobus|recoger en el aeropuerto|bus.|metro & hay|necesito|pueden|piden|pedir|"
            "tienen|que|al.",
            "a que distancia|esta lejos|nos pueden recoger",
        ),
        IntentType.PARKING: (
            "parking|aparcamiento|aparcar|aparcamos|estacionamiento|estacionar|plaza de garaje|garaje",
            "dejar|dejo|dejarla & el coche|el carro|furgoneta|autocaravana|la moto",
            "cargador & coche|electrico",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet & clave|contrasena|codigo|conectar|lento|no funciona|no hay|no va|password",
            "codigo & puerta|acceso|portal|entrada",
            "contrasena|clave wifi|la llave no va|tarjeta no abre|me he quedado fuera",
        ),
        IntentType.HOUSEKEEPING: (
            "toallas & pueden|podrian|traer|traen|necesit|mas.|limpias|favor|porfa|para la|dejen|suban|nos.|dejan",
            "papel higienico|papel del bano|papel en el bano|sabanas|papelera",
            "limpiar|limpien|limpiado|limpieza|hecho & la habitacion|la 000|hace falta|hoy",
            "la cama esta sin|sin hacer|saquen la basura",
        ),
        IntentType.AMENITY_REQUEST: (
            "almohada|manta|edredon|cuna|plancha|secador|hervidor|adaptador|paraguas|albornoz|"
            "cargador de movil & podemos|pueden|tienen|tendran|necesit|hay|prestan|posible|favor|"
            "estaria bien|otra|podrian",
            "piscina|gimnasio|spa.|sauna & hora|abre|abierto|reservar|cuando|horario",
        ),
        IntentType.MAINTENANCE: (
            "aire acondicionado|calefaccion|ducha|vater|inodoro|cisterna|tele.|televisor|bombilla|lampara|"
            "luz.|ventana|caja fuerte|lavabo|nevera & no funciona|no va.|rota|roto|atascad|fundid|fuga|"
            "no enciende|no prende|no cierra|no se abre|no desagua|se fue|aire caliente|fria",
            "agua caliente & no.|sin.",
            "fuga|cae agua|gotea",
        ),
        IntentType.COMPLAINT: (
            "inaceptable|decepcion|verguenza|pesimo|queja.|reclamacion|el peor|grosero|molesto|asco|horrible servicio",
            "ruido|gritando|gritan & dormir|dormido|desde|hagan algo|mucho",
            "la habitacion & sucia|huele",
            "bichos|cucarachas|chinches|manchas|no es lo que reservamos|mas limpios",
        ),
        IntentType.DINING: (
            "desayuno|desayuna|desayunar & hora|incluido|cuando|pueden|sirven|domingos|hasta que",
            "mesa & reservar|esta noche|para|terraza",
            "sin gluten|vegano|vegetarian|alergic|menu.|la carta|servicio a la habitacion|comida a la habitacion",
            "restaurante|cocina & abre|abierta|abierto|hay",
            "cenar & donde|a las|se puede",
        ),
        IntentType.PAYMENT: (
            "factura|recibo & envi|necesit|quiero|mand|nombre|pueden|nif",
            "cobrado|cobraron|cargo & dos veces|minibar|tarjeta|no reconozco|me.",
            "pagar & efectivo|tarjeta|queda|puedo|se puede",
            "fianza|deposito|el dinero & devuelv|cuando",
            "error en la cuenta|aceptan|american express|tasa turistica",
        ),
        IntentType.LOST_ITEM: (
            "me deje|deje el|deje la|dejamos|olvid|perdido|perdi.|no encuentro|se me quedo|no esta mi & "
            "chaqueta|cargador|gafas|cartera|pasaporte|movil|abrigo|peluche|camara|anillo|bolso|llaves|"
            "pendiente|paraguas",
            "alguien & encontrado|entrego|encontro",
        ),
        IntentType.OPT_OUT: (
            "darme de baja|baja.|no me manden|no me escriban|dejen de escribir|borren mi numero|"
            "no quiero recibir|no me vuelvan|paren & mensaj|baja|escrib|numero|publicidad|contactar",
            "cancelar la suscripcion",
        ),
        IntentType.HUMAN: (
            "hablar con & una persona|el encargado|alguien|recepcion|quien|el director|un humano|el gerente",
            "llamar|llame|llamen|llamarme & me.|por favor|alguien|director|persona",
            "paseme con|pongame con|un humano",
        ),
    },
    guards={
        "negation": (
            "no hacen falta|toallas no|aun tenemos|todavia tenemos|no limpien|no he cancelado|"
            "no hemos cancelado|no cancelamos|no hace falta|no necesit|no vamos a|no gracias|no hay que|"
            "sin early check|sin salida|no tenemos coche|nos va bien|esta bien|ninguna almohada|entonces sin|"
            "pues sin"
        ),
        "past": (
            "llegamos bien|fue facil|era facil|muy facil|ya pagamos|ya tenemos|el ano pasado|estaba buen|"
            "fue excelente|fue muy|ya me llego|ya me mand|ya pague|ya cenamos|nos cambiaron|hemos aparcado|"
            "aparcamos en|ya encontr|ya me confirmo|su companer|ya me explic|nos recogio|disfrutamos|cenamos|"
            "se hizo bien"
        ),
        "vehicle": ("el coche|el carro|la furgoneta"),
        "thanks": ("gracias por|muchas gracias por|nos salvo|felicidades"),
        "settled": (
            "llave nueva|tarjeta nueva|ya abre|al final la tarjeta|funciono|ya funciona|ya va.|va genial|"
            "ya esta.|todo bien|ninguna queja|todo perfecto|no se preocupen|en orden|ya tengo|llego la|"
            "encontre las|encontre mis|ya me llamo|aparecio|nada grave|puntual|recibido"
        ),
    },
)
