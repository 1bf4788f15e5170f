#include "surface/simulate/support_topics.h"

namespace tocsin::surface {
namespace {

using Text = std::string_view;

constexpr Text kRefundQuestions[] = {
    "Where is my refund for order {order}? I sent the {product} back two weeks ago.",
    "I returned the {product} and still have not got my money. Order {order}.",
    "hi, refund for {order} still missing, can you check",
    "You promised me a refund of {amount} for {order}. When does it arrive?",
    "My bank says nothing came in for the return of order {order}. What now?",
    "Refund status {order} please",
    "I would like my money back for the {product}, order number {order}.",
};
constexpr Text kRefundFacts[] = {
    "Your return for order {order} reached us on {date}, and the refund of {amount} is being processed.",
    "I can see the {product} from order {order} in our warehouse; {amount} goes back to your original "
    "payment "
    "method.",
    "The refund of {amount} for {order} was approved on {date}.",
    "Order {order} is marked as returned since {date}, so the {amount} is on its way to you.",
};
constexpr Text kRefundSteps[] = {
    "check the account you paid with",
    "keep the return receipt until the money is there",
    "write to us again if nothing has arrived by then",
    "look for a booking from Northwind Retail",
};
constexpr Text kRefundDetails[] = {
    "Banks usually need 5 to 7 business days to book it.",
    "Refunds always go to the payment method used for the purchase.",
    "Shipping costs are refunded only when the whole order is returned.",
    "You receive an e-mail as soon as the booking leaves us.",
};
constexpr Text kRefundDone[] = {
    "I have issued the refund of {amount} for you.",
    "I have just refunded {amount} to your original payment method.",
};
constexpr Article kRefundArticles[] = {
    {"kb-101",
     "Refunds are paid to the original payment method. After we receive the parcel, banks need 5 to 7 "
     "business "
     "days. An e-mail is sent when the booking leaves us, under the name Northwind Retail."},
    {"kb-102",
     "Returns: the return receipt is proof of postage. Shipping costs are refunded only if the whole order "
     "comes back."},
};

constexpr Text kDeliveryQuestions[] = {
    "Where is my parcel? Order {order} should have been here by now.",
    "Tracking for {order} has not moved for three days.",
    "When will the {product} from order {order} arrive?",
    "my order {order} is late again!!",
    "The courier says delivered but I have nothing. Order {order}.",
    "Can you tell me the delivery date of {order}?",
    "Is {order} lost? I need the {product} before the weekend.",
};
constexpr Text kDeliveryFacts[] = {
    "Order {order} left our warehouse on {date} and travels with tracking number {tracking}.",
    "Your {product} was handed to the courier on {date}; the tracking number is {tracking}.",
    "According to the courier, parcel {tracking} is in the delivery centre near you.",
    "I checked {order}: it was shipped on {date} and is still on its way.",
};
constexpr Text kDeliverySteps[] = {
    "follow the parcel on the courier's page", "ask the neighbours and look in the agreed safe place",
    "tell us if it has not come by then",      "make sure somebody is at home",
    "check the name on the doorbell",
};
constexpr Text kDeliveryDetails[] = {
    "Delivery takes 2 to 4 business days after dispatch.",
    "If a parcel has not moved for 5 business days we start a search with the courier.",
    "In busy weeks the tracking page can lag a day behind.",
    "The courier tries twice before the parcel goes to a pick-up point.",
};
constexpr Text kDeliveryDone[] = {
    "I have opened a search with the courier.",
};
constexpr Article kDeliveryArticles[] = {
    {"kb-201",
     "Delivery takes 2 to 4 business days after dispatch. The courier tries twice, then leaves the parcel at "
     "a "
     "pick-up point."},
    {"kb-202",
     "Lost parcels: when tracking has not moved for 5 business days, support starts a search with the "
     "courier. "
     "Tracking pages may lag a day behind in busy weeks."},
};

constexpr Text kCancelQuestions[] = {
    "Please cancel order {order}, I bought the wrong {product}.",   "Can I still cancel {order}?",
    "I want to cancel my order {order} placed yesterday.",          "cancel {order} pls",
    "The {product} is cheaper elsewhere, so cancel order {order}.",
};
constexpr Text kCancelFacts[] = {
    "Order {order} is still in preparation, so it can be cancelled.",
    "I found {order} with the {product} for {amount}; it has not been shipped yet.",
    "Your order {order} from {date} has not left the warehouse.",
};
constexpr Text kCancelSteps[] = {
    "wait for the confirmation by e-mail",
    "refuse the parcel should it come all the same",
    "place the new order whenever you like",
};
constexpr Text kCancelDetails[] = {
    "Cancelling is free of charge until the parcel is handed to the courier.",
    "A payment already made comes back within 3 business days.",
    "Vouchers used for the order become valid again.",
};
constexpr Text kCancelDone[] = {
    "I have cancelled order {order} for you.",
    "I have cancelled it, and the {amount} will not be charged.",
};
constexpr Article kCancelArticles[] = {
    {"kb-301",
     "Orders can be cancelled free of charge until they are handed to the courier. Payments come back within "
     "3 "
     "business days; vouchers become valid again."},
};

constexpr Text kAddressQuestions[] = {
    "I moved. Can you change the delivery address of {order}?",
    "Wrong house number on order {order}, what can I do?",
    "Please send {order} to my office instead.",
    "How do I update my address for future orders?",
    "The address on my account is old.",
};
constexpr Text kAddressFacts[] = {
    "The address can be changed as long as the order is in preparation, and yours is.",
    "You can correct the address yourself in your account.",
    "A new address takes effect for every order that has not been shipped.",
};
constexpr Text kAddressSteps[] = {
    "open your account and choose Addresses",
    "enter the new address and save it",
    "select it as the default",
    "check it once more on the order page",
};
constexpr Text kAddressDetails[] = {
    "Once the parcel is with the courier, only the courier can redirect it.",
    "Billing and delivery address may differ.",
    "Changes are shown on the order page within 10 minutes.",
};
constexpr Article kAddressArticles[] = {
    {"kb-401",
     "Addresses are changed under Account, Addresses. A change takes effect for orders not yet shipped and "
     "is "
     "shown within 10 minutes. Shipped parcels can be redirected by the courier only."},
};

constexpr Text kPasswordQuestions[] = {
    "I can not log in any more, my password is not accepted.",
    "How do I reset my password? My e-mail is {email}.",
    "The reset mail never arrives at {email}.",
    "locked out of my account, help",
    "It says too many attempts. What now?",
};
constexpr Text kPasswordFacts[] = {
    "You can set a new password with the link Forgot password on the sign-in page.",
    "After too many attempts an account is locked for a short while and opens again by itself.",
    "The reset mail goes to the address stored in your account.",
};
constexpr Text kPasswordSteps[] = {
    "choose Forgot password on the sign-in page", "open the link in the mail", "look in the spam folder",
    "choose a password you use nowhere else",     "try another browser",
};
constexpr Text kPasswordDetails[] = {
    "The link is valid for 30 minutes.",
    "A locked account opens again after 15 minutes.",
    "For your safety nobody here can see or set your password.",
};
constexpr Article kPasswordArticles[] = {
    {"kb-501",
     "Passwords are reset with Forgot password on the sign-in page; the link is valid for 30 minutes. After "
     "too "
     "many attempts an account is locked for 15 minutes. Support cannot see or set passwords."},
};

constexpr Text kInvoiceQuestions[] = {
    "I need an invoice for order {order} with our VAT number.",
    "Where can I download the invoice of {order}?",
    "Our accounting asks for the bill for the {product}, {order}.",
    "The invoice for {order} shows the wrong company name.",
    "invoice {order}",
};
constexpr Text kInvoiceFacts[] = {
    "The invoice for {order} over {amount} is in your account under Orders.",
    "Order {order} of {date} comes to {amount}; the invoice is ready as a PDF.",
    "I found the invoice belonging to {order}.",
};
constexpr Text kInvoiceSteps[] = {
    "open Orders in your account",
    "choose the order and then Invoice",
    "download the PDF",
    "send us the correct company name if it differs",
};
constexpr Text kInvoiceDetails[] = {
    "Invoices are kept for 10 years.",
    "Company name and VAT number can be corrected within 90 days.",
    "The invoice appears as soon as the parcel has been shipped.",
};
constexpr Article kInvoiceArticles[] = {
    {"kb-601",
     "Invoices are PDF files under Account, Orders, available after dispatch and kept for 10 years. Company "
     "name and VAT number can be corrected within 90 days."},
};

constexpr Text kDefectQuestions[] = {
    "The {product} from order {order} stopped working after a month.",
    "My {product} arrived broken. {order}",
    "There is a crack in the {product}, is that covered?",
    "Warranty for the {product}, order {order}, how does that work?",
    "The {product} makes a strange noise. I bought it with {order}.",
};
constexpr Text kDefectFacts[] = {
    "A {product} that fails like this is covered by the warranty.",
    "Order {order} was bought on {date}, so the {product} is still under warranty.",
    "We repair or replace the {product} free of charge.",
};
constexpr Text kDefectSteps[] = {
    "take a photo of the damage",        "pack it in the original box if you still have it",
    "print the label we send you",       "bring the parcel to any post office",
    "remove batteries and memory cards",
};
constexpr Text kDefectDetails[] = {
    "The warranty lasts 24 months from the date of purchase.",
    "A repair takes about 10 working days.",
    "Damage by water or a fall is not covered.",
    "If the same fault comes back you may choose a replacement.",
};
constexpr Article kDefectArticles[] = {
    {"kb-701",
     "Warranty lasts 24 months from purchase. Repairs take about 10 working days. Water and falls are not "
     "covered. When the same fault returns the customer may choose a replacement."},
    {"kb-702", "Sending in a device: use the prepaid label, remove batteries and memory cards, add a photo."},
};

constexpr Text kPlanQuestions[] = {
    "How do I cancel my Plus membership?",
    "What does the Plus membership cost?",
    "I was charged for Plus although I cancelled. My address is {email}.",
    "Can I pause my membership during the summer?",
    "Is shipping free with Plus?",
};
constexpr Text kPlanFacts[] = {
    "You can end or pause the Plus membership at any time in your account.",
    "Plus includes free shipping and longer returns.",
    "The membership runs until the end of the month already paid.",
};
constexpr Text kPlanSteps[] = {
    "open Membership in your account",
    "choose Pause or End",
    "confirm with the link we send you",
};
constexpr Text kPlanDetails[] = {
    "Plus costs 4.99 a month.",
    "A pause lasts up to 3 months.",
    "Members may return goods for 60 days.",
    "A charge made after the end of the membership is paid back.",
};
constexpr Article kPlanArticles[] = {
    {"kb-801",
     "Plus membership: 4.99 a month, free shipping, returns for 60 days. It can be paused for up to 3 months "
     "or "
     "ended at any time under Account, Membership."},
};

constexpr Topic kTopics[] = {
    {"refund", 0.18, 0.06, true, "issue_refund", kRefundQuestions, kRefundFacts, kRefundSteps, kRefundDetails,
     kRefundDone, kRefundArticles},
    {"delivery", 0.26, 0.10, true, "open_courier_search", kDeliveryQuestions, kDeliveryFacts, kDeliverySteps,
     kDeliveryDetails, kDeliveryDone, kDeliveryArticles},
    {"cancel", 0.10, 0.05, true, "cancel_order", kCancelQuestions, kCancelFacts, kCancelSteps, kCancelDetails,
     kCancelDone, kCancelArticles},
    {"address",
     0.09,
     0.17,
     false,
     "",
     kAddressQuestions,
     kAddressFacts,
     kAddressSteps,
     kAddressDetails,
     {},
     kAddressArticles},
    {"password",
     0.11,
     0.30,
     false,
     "",
     kPasswordQuestions,
     kPasswordFacts,
     kPasswordSteps,
     kPasswordDetails,
     {},
     kPasswordArticles},
    {"invoice",
     0.09,
     0.05,
     true,
     "",
     kInvoiceQuestions,
     kInvoiceFacts,
     kInvoiceSteps,
     kInvoiceDetails,
     {},
     kInvoiceArticles},
    {"defect",
     0.10,
     0.05,
     true,
     "",
     kDefectQuestions,
     kDefectFacts,
     kDefectSteps,
     kDefectDetails,
     {},
     kDefectArticles},
    {"membership",
     0.07,
     0.22,
     false,
     "",
     kPlanQuestions,
     kPlanFacts,
     kPlanSteps,
     kPlanDetails,
     {},
     kPlanArticles},
};

}  // namespace

std::span<const Topic> SupportTopics() { return kTopics; }

}  // namespace tocsin::surface
