"""Portuguese, of Brazil and of Portugal."""

from __future__ import annotations

from bellhop.domain.intents import IntentType
from bellhop.intents.rules import Language

TABLE = Language(
    rules={
        IntentType.EARLY_CHECK_IN: (
            "early check|check in antecipado|check in antes|entrar mais cedo|entrada antecipada|check in mais cedo",
            "o quarto|a chave & antes do meio dia|antes da hora|antes das 00|de manha|a partir de que horas|"
            "logo para|livre as",
        ),
        IntentType.LATE_CHECK_OUT: (
            "late check|saida tardia|check out mais tarde|checkout mais tarde|sair mais tarde|adiar a saida",
            "ficar|segurar|deixar|desocupar & o quarto|no quarto & ate|mais um pouco|depois das|em vez|a uma",
            "sair as & em vez|pode ser|podemos",
            "ficar ate as",
        ),
        IntentType.BOOKING_CHANGE: (
            "mudar|alterar|trocar|passar|prolongar|encurtar|estender & reserva|as datas|estadia|nome|quinta|segunda",
            "acrescentar|mais & uma noite|noites",
            "quarto|casal|trocar & camas separadas|maior para|solteiros|upgrade",
            "errad & reserva|data de chegada",
            "um dia antes|vista mar|podem prolongar",
        ),
        IntentType.CANCELLATION: (
            "cancelar|cancelem|anular|cancelamento|desmarcar & reserva|quarto|viagem|tudo|custo|gratis|como|"
            "preciso|temos|politica|hoje|estadia|podem|queremos|por favor|tenho",
            "nao podemos ir|afinal nao vamos",
        ),
        IntentType.ARRIVAL_TIME: (
            "chegamos|chegar|chegada|estaremos|aterra|pouso & as 0|por volta|00h|depois da meia noite|"
            "la pelas|prevista|nove|em 00 min",
            "o voo atrasou|estamos a caminho|presos no transito|vamos atrasar",
            "recepcao & aberta|chegarmos",
        ),
        IntentType.DIRECTIONS: (
            "como chego|como vou|como chegar|como podemos ir",
            "o endereco|numero da rua|nao encontramos a entrada|onde ficam",
            "taxi|transfer|onibus|autocarro|buscar no aeroporto & tem|podem|preciso|chamem|chamar|que.|fazem|ha.",
            "fica longe",
        ),
        IntentType.PARKING: (
            "estacion|garagem|vaga",
            "onde|deixar|deixamos & o carro|autocaravana|moto.",
            "carregador & carro|eletrico",
        ),
        IntentType.WIFI_ACCESS: (
            "wifi|wi fi|internet & senha|password|codigo|nao funciona|lento|conect|entrar|sem",
            "codigo & porta|acesso|portao|nao da",
            "senha|cartao nao abre|ficamos na rua|nao consigo me conectar",
        ),
        IntentType.HOUSEKEEPING: (
            "toalhas & podem|limpas|para o|por favor|precis|mais.|tragam|so as",
            "papel higienico|lencois|papel do banheiro|papel no banheiro|o lixo",
            "limpar|limpo|arrumaram & quarto|o 000|hoje",
            "cama esta por fazer|limpar o",
        ),
        IntentType.AMENITY_REQUEST: (
            "travesseiro|almofada|manta|edredom|berco|ferro de passar|ferro a vapor|um ferro|secador|"
            "chaleira|adaptador|guarda chuva|carregador & podemos|podem|tem.|teriam|precis|possivel|"
            "emprestar|favor|quarto|seria bom|mais",
            "piscina|academia|spa.|sauna & horas|abre|marcar|quando|horario",
        ),
        IntentType.MAINTENANCE: (
            "ar condicionado|aquecimento|chuveiro|sanita|descarga|tv.|lampada|janela|cofre|lavatorio|luz.|"
            "controle|frigobar & nao funciona|quebrad|avariad|entupid|vazando|queimou|nao liga|nao fecha|"
            "travado|nao escoa|acabou|ar quente|frio|nao acende|morreu",
            "agua quente & nao|sem",
            "caindo agua|vazamento",
        ),
        IntentType.COMPLAINT: (
            "inaceitavel|desiludid|decepcao|vergonha|pessimo|reclamacao|o pior|grosseiro|chateado|esperavamos mais",
            "barulho|gritam & dorm|desde|facam",
            "o quarto & sujo|cheira",
            "baratas|percevejos|manchas|nao foi isso que|mais limpos",
        ),
        IntentType.DINING: (
            "cafe da manha|pequeno almoco|tomar cafe|o cafe & horas|incluido|podemos|servem|as 0|dominigos",
            "uma mesa & reservar|hoje a noite|para|varanda",
            "sem gluten|vegan|vegetarian|alergic|cardapio|comida no quarto",
            "restaurante|cozinha & abre|aberta|pratos",
            "se janta bem|jantar as",
        ),
        IntentType.PAYMENT: (
            "fatura|nota fiscal|recibo & envi|mand|precis|nome|podem",
            "cobrad|cobraram|cobranca|debitaram & duas vezes|cartao|frigobar|reconheco|me.",
            "pagar & dinheiro|cartao|pix|falta|posso",
            "caucao|o dinheiro & quando|devolvem",
            "erro na conta|aceitam|taxa turistica",
        ),
        IntentType.LOST_ITEM: (
            "deixei|deixado|esquec|perdi.|nao acho|ficou na cama|nao esta na mala & casaco|carregador|oculos|"
            "carteira|passaporte|celular|ursinho|brinco|camera|anel|cachecol|chaves|telemovel",
            "alguem & encontrou|entregou",
            "entregaram um",
        ),
        IntentType.OPT_OUT: (
            "parem de me mandar|sair da lista|nao me escrevam|apaguem o meu numero|receber propaganda|"
            "descadastrar|nao me contatem|nao me mandem|chega de mensagens|tirem da lista|"
            "cancelar a inscricao",
        ),
        IntentType.HUMAN: (
            "falar com & uma pessoa|gerente|alguem|quem|recepcao|atendente",
            "me ligar|me ligue|me telefonar|me passa para",
            "atendente humano",
        ),
    },
    guards={
        "negation": (
            "nao sao precisas|nao e preciso|sem toalhas|ainda temos|nao cancelei|nao cancelamos|"
            "nao precisamos|nao vamos precisar|nao obrigad|sem early|sem saida|nao temos carro|nada a mudar|"
            "nao vamos cancelar|nao pretendemos|esta bem|nao faz mal"
        ),
        "past": (
            "chegamos bem|foi facil|era facil|ja mandaram|ano passado|estava otimo|estava excelente|"
            "foi maravilhos|foi muito|ja recebi|nos trocaram|ja estacionamos|estacionamos sem|ja confirmou|"
            "ja me explic|ja me mand|ja paguei|ja jantamos|jantamos|aproveitamos|veio buscar|chegou na hora|"
            "caiu"
        ),
        "vehicle": ("o carro|a autocaravana"),
        "thanks": ("obrigado por|obrigada por|obrigado pel|obrigada pel|salvou a gente|parabens"),
        "settled": (
            "cartao novo|chave nova|ja abre|cartao funcionou|ja funciona|ja funciona|ja esta bom|esta otimo|"
            "tudo certo|sem reclamac|tudo perfeito|nao se preocupem|achei os|achei as|achamos o|wifi ok|"
            "tranquil|chegou obrigad|chegou.|ja me ligou|nada grave|resolvido|debaixo da cama|foi facil"
        ),
    },
)
