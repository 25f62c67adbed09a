"""Small synthetic twins of the 20 real layouts: their containers, headers and dirt; no real row.

Every firm, address and code is invented (names say 虚构). The twins of held layouts carry as much
dirt as the real ones, so that they are held for the same reason.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from tests.open_data.firms import NUMERALS, firm, rounded_uscc, uscc
from tests.open_data.pages import Page

if TYPE_CHECKING:
    from tests.open_data.pages import Twin

_DISTRICTS: Final = ("海淀区", "朝阳区", "通州区", "经济技术开发区")


def fengtai_env_disclosure() -> Twin:
    page = Page("utf-8")
    page.head("2023年某区环境信息依法披露企业名单", "", "", "", "", "")
    page.head(
        "序号", "行政区划名称", "统一社会信用代码", "单位名称", "纳入原因", "重点排污单位所属类别"
    )
    tail = ("①", "大气环境重点排污单位")
    for n in range(1, 13):
        page.keep(n, "丰台区", uscc(n), firm(n), *tail)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in uscc(13))
    page.keep(13, "丰台区", f" {wide} ", firm(13), *tail)
    page.keep(14, "丰台区", uscc(14).lower(), f"{firm(14)} ", "①②", tail[1])
    for n, ruined in enumerate(("9.111E+17", "9.11101E+17", "1.21E+17", "5.21101E+17"), start=15):
        page.plant((n, "丰台区", ruined, firm(n), *tail), "uscc.uscc")
    wrong = uscc(19)[:17] + ("0" if uscc(19)[17] != "0" else "1")
    page.plant((19, "丰台区", wrong, firm(19), *tail), "uscc.uscc")
    return page.twin("2022年丰台区环境信息依法披露企业名单.csv")


def tongzhou_filed_project() -> Twin:
    page = Page("utf-8-sig")
    page.head("2023年备案项目基本情况表", "", "")
    page.head("", "", "投资方信息")
    page.head("序号", "项目名称", "单位名称")
    page.keep("1", "虚构仪器一期[A]项目", firm(1), seq=1, project_name="虚构仪器一期[A]项目")
    for n in range(2, 61):
        page.keep(n, f"虚构产线{n}改造项目", firm(n))
    page.plant((61, "", firm(61)), "project_name.required")
    page.plant((62, "虚构产线项目", ""), "investor.required")
    page.blank(10, 3)
    return page.twin("2022年备案项目基本情况表.csv")


def fengtai_smog_measure() -> Twin:
    page = Page("gb18030")
    starred = ("序号", "年份", "企业名称", "详细地址", "重点行业类型", "重点行业分支")
    measures = [f"{colour}色预警_减排措施*" for colour in "红橙黄"]
    page.head(*[f"{h}*" for h in starred], "其他行业类型", "管控类型*", *measures)

    def row(n: int, year: str, sector: str, other: str, control: str) -> tuple[str, ...]:
        where = (firm(n), f"虚构路{n}号")
        return (str(n), year, *where, sector, f"{sector}分支", other, control, *("停用一台",) * 3)

    page.keep(*row(1, "2020", "水泥", "", "D"), year=2020, other_sector=None)
    for n in range(2, 60):
        page.keep(*row(n, "2020", "其他", " 汽车维修业", "地方C"), other_sector="汽车维修业")
    rare = row(60, "2020", "其他", "", "地方C")
    page.keep(*rare[:2], "北京虚构䶮𠮷印刷厂", *rare[3:], org_name="北京虚构䶮𠮷印刷厂")
    page.plant(row(61, "二〇二〇", "其他", "", "地方C"), "year.type")
    page.plant(row(62, "2020", "其他", "", "Z级"), "control.enum")
    return page.twin("丰台区空气重污染重点行业减排清单.csv")


def ip_insurance_pilot() -> Twin:
    page = Page("utf-8-sig")
    page.head("序号", "企业名称", "投保年度", "统一社会信用代码", "承保保险公司")
    insurer = "虚构财险北京市分公司"
    for n in range(1, 41):
        masked = f"{uscc(n)[:6]}******{uscc(n)[12:]}"
        page.keep(n, firm(n), 2020 + n % 3, masked, insurer)
    page.keep(41, firm(41), 2022, uscc(41), insurer, uscc_masked=uscc(41))
    page.keep(42, firm(42), 2022, f"911100******{uscc(42)[13:]}", insurer)
    for n in range(43, 49):
        cut = "9111014" if n % 2 else "911101F"
        page.plant((n, firm(n), 2021, cut, insurer), "uscc_masked.pattern")
    return page.twin("保险试点三年参保企业名单汇总.csv")


def agri_green_food() -> Twin:
    page = Page("utf-8-sig")
    page.head("认证主体名称", "认证产品", "颁证日期", "截至日期")
    rows = [
        (f" {firm(n)}  " if n % 5 == 0 else firm(n), "虚构瓜", f"{n % 28 + 1}/7/2022 00:00:00")
        for n in range(1, 61)
    ]
    until = "5/12/2025 00:00:00"
    first = {"issued_on": date(2022, 12, 6), "valid_until": date(2025, 12, 5), "product": "虚构果"}
    page.keep(firm(99), "虚构果", "6/12/2022 00:00:00", until, **first)
    for row in rows:
        page.keep(*row, until)
    page.plant((firm(61), "虚构瓜", "12/25/2022 00:00:00", until), "issued_on.type")
    page.plant((firm(62), "虚构瓜", "6/12/2022 00:00:00", "2025-12-05"), "valid_until.type")
    for row in rows:
        page.again(*row, until)
    return page.twin("农产品绿色食品认证信息.csv")


def econ_it_integration_pilot() -> Twin:
    page = Page("gb18030")
    names = ("序号", "试点类型", "试点年份", "企业名称", "所在区", "性质", "行业")
    page.head(*names, "", "", "")

    def row(n: int, kind: str = "市级") -> tuple[str, ...]:
        return (str(n), kind, "2019市级第一批", firm(n), "大兴区", "民企", "机械、电子")

    page.keep(*row(1), "", "", "", seq=1, industry="机械、电子")
    for n in range(2, 51):
        page.keep(*row(n), "", "", "")
    page.keep(*row(51))  # the row ends before the nameless columns
    page.aside[page.line] = {"Unnamed: 8": "见附件"}  # and the next has a note under no header
    page.keep(*row(52), "", "见附件", "")
    page.plant((*row(53, "区级"), "", "", ""), "pilot_type.enum")
    page.plant((*row(54)[:3], "", *row(54)[4:], "", "", ""), "org_name.required")
    return page.twin("北京市两化融合贯标试点企业贯标进展情况.csv")


def changping_env_disclosure() -> Twin:
    page = Page("xlsx")
    page.head("某区 2024 年环境信息依法披露企业名单")
    page.head(
        "序号",
        "行政区划名称",
        "统一社会信用代码",
        "单位名称",
        "纳入原因",
        "环境监管重点单位所属类别",
    )

    def row(n: int, code: str | float) -> tuple[str | int | float, ...]:
        return (n, "昌平区", code, f"{firm(n)}-虚构\n厂区", "①②", "水环境重点\n排污单位")

    page.keep(*row(1, f"{uscc(1)}(00)"), seq=1, unit_code=f"{uscc(1)}(00)")
    for n in range(2, 60):
        page.keep(*row(n, f"{uscc(n // 2)}(0{1 + n % 2})"))
    page.keep(60, "昌平区", f"{uscc(60)}(00)", firm(60), "②", category=None)
    page.plant(row(61, uscc(61)), "unit_code.pattern")
    page.plant(row(62, 911100000000000000.0), "unit_code.pattern")
    for note in (
        "说明：纳入原因：",
        "①虚构的名录",
        "②虚构的审核；\n（一）其一；",
        "（二）其二；\n（三）其三；",
        "⑤其他应当披露的企业。",
    ):
        page.foot(note)
    return page.twin("北京市昌平区环境信息依法披露企业名单.csv")


def agri_eco_farm() -> Twin:
    page = Page("xls")
    page.head("序号", "区", "主体名称", "农场类型", "证书编号")
    page.keep(1, "门头沟", firm(1), "种养结合", "BJSTNC2023MTG001ZY", seq=1, district="门头沟")
    for n in range(2, 61):
        page.keep(n, "昌平", firm(n), "种植", f"BJSTNC2023CP{n:03}ZZ")
    page.plant((61, "昌平", firm(61), "种植", "BJSTNC2023CP61ZZ"), "certificate.pattern")
    page.plant((62, "昌平区", firm(62), "种植", "BJSTNC2023CP062ZZ"), "district.enum")
    return page.twin("北京市级生态农场授予名单.csv")


def shunyi_water_acceptance() -> Twin:
    page = Page("xls")
    page.head("序号", "单位名称", "文号", "日期")

    def document(n: int) -> str:
        return f"京（顺）水节竣承【2023】{n:02}号"

    page.keep(1, firm(1), document(1), date(2023, 3, 8), accepted_on=date(2023, 3, 8))
    for n in range(2, 61):
        page.keep(n, f"{firm(n)}（L9{n:05}）", document(n), date(2023, 1 + n % 12, 28))
    page.plant((61, firm(61), document(61), 44628.0), "accepted_on.type")
    page.plant((62, firm(62), document(62), "2023.5.27"), "accepted_on.type")
    page.plant((63, firm(63), "京（顺）水节竣承63号", date(2023, 5, 1)), "document_no.pattern")
    return page.twin("北京市顺义区建设项目配套节水设施竣工验收情况统计表.csv")


def fin_office_listed_company() -> Twin:
    page = Page("utf-8-sig")
    ownership = "公司属性\n[交易日期] 最新收盘日"
    page.head("序号", "证券代码", "证券简称", ownership, "上市板块", "更新时间")
    page.keep(
        1, "990001.BJ", "虚构一", "民营企业", "北证", "2023/9/19", updated_on=date(2023, 9, 19)
    )
    for n in range(2, 140):
        page.keep(n, f"{990000 + n}.SZ", f"虚构{n}", "地方国有企业", "主板", "/", updated_on=None)
    page.plant((140, "990140", "虚构140", "民营企业", "主板", "/"), "security_code.pattern")
    page.plant((141, "990141.SH", "虚构141", "民营企业", "新三板", "/"), "board.enum")
    page.plant((142, "990142.SH", "虚构甲", "民营企业", "主板", "/"), "row.key_conflict")
    page.plant((143, "990142.SH", "虚构乙", "民营企业", "主板", "/"), "row.key_conflict")
    page.plant(  # a footer in the middle is no footer: it must not vanish
        ("", "数据来源：虚构", "", "", "", ""),
        "seq.required",
        "security_code.pattern",
        "short_name.required",
        "ownership.required",
        "board.required",
    )
    page.keep(144, "990144.SH", "虚构144", "民营企业", "科创板", "/")
    page.blank(1, 6)
    page.foot("", "数据来源：虚构终端", "", "", "", "")
    return page.twin("境内上市公司清单.csv")


def miyun_construction_permit() -> Twin:
    page = Page("gb18030")
    left = ("序号", "工程名称", "施工许可证号", "工程所在区县", "建设单位", "工程规模平方米")
    right = ("发证日期", "建设地址", "施工单位", "监理单位", "设计单位")
    page.head(*left, *right, "", "")

    def row(n: int, permit: str, scale: str, issued: str) -> tuple[str, ...]:
        parties = (f"虚构镇{n}号 ", f"  {firm(n)}  ", "", firm(n + 100))
        return (str(n), f"虚构#{n}楼", permit, "密云区", firm(n), scale, issued, *parties, "", "")

    first = row(1, "[2021]施[密]建字0001号", "1024.500平方米", "2021/12/8 17:16:46")
    page.keep(*first, issued_on=date(2021, 12, 8), builder=firm(1), supervisor=None)
    for n in range(2, 24):
        kind = "市政" if n % 3 else "装"
        page.keep(*row(n, f"[2021]施[密]{kind}字{n:04}号", f"{n}.00米", "2021/2/28 09:05:01"))
    for n in range(24, 30):
        page.plant(
            row(n, f"2021施（密）装字{n:04}号", f"{n}.25", "2021.7.03"),
            "permit_no.pattern",
            "scale.pattern",
            "issued_on.type",
        )
    page.blank(16, 13)
    return page.twin("密云区年度施工许可证信息.csv")


def culture_tour_souvenir_project() -> Twin:
    page = Page("utf-8-sig")
    page.head("序号", "项目名称", "项目申报单位", "统一社会信用代码", "年度")
    for n in range(1, 15):
        page.keep(n, f'虚构"礼物"{n}，系列', firm(n), uscc(n), "2021", uscc=uscc(n))
    for n in range(15, 21):
        page.plant((n, f"《虚构》{n}", firm(n), rounded_uscc(n), "2021"), "uscc.uscc")
    return page.twin("市文化和旅游局-旅游商品扶持企业及商品名单.csv")


def econ_it_innovation_base() -> Twin:
    page = Page("utf-8-sig")
    page.head("序号", "单位名称", "所属区", "统一社会信用代码")
    for n in range(60, 0, -1):
        page.keep(n, firm(n), _DISTRICTS[n % 4], uscc(n), seq=n, uscc=uscc(n))
    page.plant((61, firm(61), "海淀区", uscc(61).replace("9", "I", 1)), "uscc.uscc")
    page.plant((62, firm(62), "亦庄", uscc(62)), "district.enum")
    return page.twin("市经济信息化局-北京市小型微型企业创业创新示范基地名单.csv")


def pinggu_bid_winner() -> Twin:
    page = Page("gb18030")
    page.head("某区建设工程施工项目中标信息", "", "")
    page.head("序号", "工程名称", "中标公示时间")
    page.keep("1", "虚构路（一标段）", "2021/8/11", published_on=date(2021, 8, 11))
    for n in range(2, 61):
        page.keep(n, f"虚构路（{n}标段）", f"2021/{1 + n % 12}/{1 + n % 28}")
    page.plant((61, "虚构路监理", "2021-08-11"), "published_on.type")
    page.plant((62, "虚构路养护", "2021/2/30"), "published_on.type")
    return page.twin("平谷区中标信息.csv")


def pinggu_childcare() -> Twin:
    page = Page("gb18030")
    page.head("托育机构备案信息公开表", "", "", "", "", "")
    page.head("序号", "机构名称", "机构住所", "机构性质", "备案状态", "备注")
    for n in range(1, 13):
        page.keep(n, firm(n), f"虚构街{n}号", "营利", "已通过", "")
    page.keep(13, firm(13), "虚构街13号", "非营利", "已注销", "", status="已注销")
    adrift = ("", "", "", "营利", "", "")
    for n in range(14, 18):
        page.plant((n, firm(n), f"虚构街{n}号", "", "已通过", ""), "ownership.required")
        if n == 14:
            page.plant(
                adrift, "seq.required", "org_name.required", "address.required", "status.required"
            )
        else:
            page.again(*adrift)
        page.blank(1, 6)
    return page.twin("平谷区托育机构备案信息公开表.csv")


def sci_tech_advanced_service_firm() -> Twin:
    page = Page("gb18030")
    page.head("2021年度某市技术先进型服务企业名单", "", "")
    page.head("序号", "认定时间", "企业名称")
    page.keep("1", "2020.5.27", f"{firm(1)} ", recognised_on=date(2020, 5, 27), org_name=firm(1))
    for n in range(2, 61):
        page.keep(n, "2020.12.3", firm(n))
    page.plant((61, "2020.5.27", f"{firm(61)}?"), "org_name.pattern")
    page.plant((62, "2020/5/27", firm(62)), "recognised_on.type")
    return page.twin("技术先进型服务企业名单.csv")


def changping_listed_firm() -> Twin:
    page = Page("xlsx")
    page.head("某区已上市企业名单（60家）")
    page.head("序号", "股票简称", "股票代码", "企业名称", "上市板块", "首发上市日期")
    day = date(2002, 5, 17)
    page.keep(1, "虚构一", "009901", firm(1), "深交所主板", day, stock_code="009901", listed_on=day)
    page.keep(2, "虚构二", 990002, firm(2), "上交所主板", day, stock_code="990002")
    page.keep("", "", "-", firm(2), "在虚构交易所发行GDR", day, stock_code=None, seq=None)
    page.keep(3, "虚构三", "09903.HK", f"{firm(3)} ", "香港主板", day)
    page.keep(4, "虚构四", "XG.O", firm(4), "虚构纳斯达克", day)
    for n in range(5, 61):
        page.keep(n, f"虚构{n}", f"{990000 + n}", firm(n), "北交所", day)
    page.plant(("", "", "09960.HK", "", "香港主板", day), "org_name.required")
    page.plant((61, "虚构六", "990061", firm(61), "北交所", "2002年5月"), "listed_on.type")
    return page.twin("昌平区上市企业名单.csv")


def haidian_innovative_sme() -> Twin:
    page = Page("gb18030")
    page.head("序号", "企业名称", "批次")
    for n in range(1, 61):
        page.keep(n, firm(n), f"第{NUMERALS[1 + n % 6]}批")
    page.plant((61, f"{firm(61)}?", "第一批"), "org_name.pattern")
    page.plant((62, firm(62), "第7批"), "round.pattern")
    return page.twin("海淀区2024年度第1-6批创新型中小企业名单.csv")


def dev_reform_clean_production() -> Twin:
    page = Page("gb18030")
    amounts = ("项目补贴资金", "项目总投资", "COD减排量", "VOC减排量", "节能量")
    rest = ("所属行业", "所在区", "项目实施单位名称", "修改时间", "实施单位统一社会信用代码")
    page.head("id", *amounts, *rest)

    def row(n: int, own_id: str, code: str) -> tuple[str, ...]:
        what = ("", str(100 * n), "", "0", "", " 卫生", "经济开发区", firm(n))
        return (own_id, *what, "2/1/2022 00:00:21", code)

    page.keep(*row(1, "26763200000000001", uscc(1)))
    page.keep(*row(2, "2676320000000000002", uscc(2)))
    for n in range(3, 15):
        page.plant(row(n, "2.67632E+16", uscc(n)), "project_id.pattern")
    for n in range(15, 20):
        page.plant(row(n, "9.88138E+16", "9.11101E+17"), "project_id.pattern", "uscc.uscc")
    return page.twin("清洁生产示范项目数据.csv")


def bda_random_inspection() -> Twin:
    page = Page("utf-8-sig")
    page.head("序号", "单位名称", "所在区", "检查日期", "问题名称", "拟处理方式")
    for n in range(1, 31):
        page.keep(n, firm(n), "经开区", 45658 + n, "未发现虚构问题", "/")
    page.keep(31, firm(31), "开发区", "44628.0", "虚构问题", "整改")
    for n in range(32, 37):
        stamp = f"2025-02-{n - 20} 00:00:00"
        page.plant((n, firm(n), "经开区", stamp, "未发现虚构问题", "/"), "inspected_on.type")
    return page.twin("经济技术开发区管委会-经开区双随机检查信息固定源.csv")


TWINS: Final[tuple[Twin, ...]] = (
    fengtai_env_disclosure(),
    tongzhou_filed_project(),
    fengtai_smog_measure(),
    ip_insurance_pilot(),
    agri_green_food(),
    econ_it_integration_pilot(),
    changping_env_disclosure(),
    agri_eco_farm(),
    shunyi_water_acceptance(),
    fin_office_listed_company(),
    miyun_construction_permit(),
    culture_tour_souvenir_project(),
    econ_it_innovation_base(),
    pinggu_bid_winner(),
    pinggu_childcare(),
    sci_tech_advanced_service_firm(),
    changping_listed_firm(),
    haidian_innovative_sme(),
    dev_reform_clean_production(),
    bda_random_inspection(),
)
